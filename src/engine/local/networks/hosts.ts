import { appendFileSync, closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeFolder, unlessGone } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { forgetName, tellName } from './name-server.ts'
import { listMembers } from './records.ts'

const head = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'ff00::0\tip6-mcastprefix',
  'ff02::1\tip6-allnodes',
  'ff02::2\tip6-allrouters',
]

/** Below this line are the containers of the network. */
const SEPARATOR = '# Servers of the network\n'

export function hostsPath({ store }: Local, id: string): string {
  return store.path('containers', id, 'hosts')
}

/** Writes the hosts file of a container that is about to start, and adds its names to those of the others. */
export async function joinNames(
  local: Local,
  record: ContainerRecord,
  at: { readonly networkId: string; readonly ip: string; readonly gateway: string },
): Promise<void> {
  const { id } = record
  writeFileSync(hostsPath(local, id), ownLines(record, at.ip, at.gateway) + SEPARATOR, { mode: 0o644 })
  const names = namesOf(record)
  const folder = await makeFolder(local.store.path('networks', at.networkId, 'members'))
  const line = `${at.ip}\t${names.join(' ')}\n`
  writeFileSync(join(folder, id), line, { mode: 0o600 })
  tellName(at.networkId, id, line)
  await refresh(local, at.networkId)
}

/** Takes the names of a container out of the hosts files of the others. No error if they are not there. */
export async function leaveNames(local: Local, networkId: string, id: string): Promise<void> {
  rmSync(local.store.path('networks', networkId, 'members', id), { force: true })
  forgetName(networkId, id)
  await refresh(local, networkId)
}

function namesOf({ id, name, spec }: ContainerRecord): readonly string[] {
  return [...new Set([...spec.network.aliases, name, id.slice(0, 12)])]
}

/** Its own names are in one line: programs would take two lines for two addresses. */
function ownLines(record: ContainerRecord, ip: string, gateway: string): string {
  const { spec } = record
  const extra = Object.entries(spec.extraHosts).map(
    ([name, address]) => `${address === 'host-gateway' ? gateway : address}\t${name}`,
  )
  return [...head, ...extra, `${ip}\t${[...new Set([spec.hostname, ...namesOf(record)])].join(' ')}`]
    .map((line) => `${line}\n`)
    .join('')
}

interface Refreshing {
  readonly current: Promise<void>
  next?: Promise<void>
}

const refreshing = new Map<string, Refreshing>()

/** Brings all hosts files of a network up to date. Calls at the same time share their work. */
function refresh(local: Local, networkId: string): Promise<void> {
  const key = local.store.path('networks', networkId)
  const running = refreshing.get(key)
  if (running !== undefined) {
    running.next ??= running.current.catch(() => {}).then(() => refresh(local, networkId))
    return running.next
  }
  // The next turn of the event loop, so that all calls of this one are in.
  const current = new Promise(setImmediate)
    .then(() => refreshNow(local, networkId))
    .finally(() => refreshing.delete(key))
  refreshing.set(key, { current })
  return current
}

const MOST_ROUNDS = 20

/** Another process can change the members meanwhile, and has then seen this call's or is seen here. */
async function refreshNow(local: Local, networkId: string): Promise<void> {
  let before = await readMembers(local, networkId)
  for (let round = 0; round < MOST_ROUNDS; round++) {
    for (const id of before.keys()) {
      const others = [...before].flatMap(([other, line]) => (other === id ? [] : [line]))
      refreshFile(hostsPath(local, id), others)
    }
    const after = await readMembers(local, networkId)
    if (isSame(before, after)) return
    before = after
  }
}

type Members = ReadonlyMap<string, string>

/** Returns the lines of the containers of a network, by their ids. */
export async function readMembers(local: Local, networkId: string): Promise<Members> {
  const ids = await listMembers(local, networkId)
  const folder = local.store.path('networks', networkId, 'members')
  const entries = ids.map((id) => [id, unlessGone(() => readFileSync(join(folder, id), 'utf8'))] as const)
  // A line without its end is being written: its writer refreshes when it is there.
  return new Map(entries.flatMap(([id, line]) => (line?.endsWith('\n') ? [[id, line]] : [])))
}

function isSame(a: Members, b: Members): boolean {
  return a.size === b.size && [...a].every(([id, line]) => b.get(id) === line)
}

/**
 * Changes a hosts file in place, because a file that is mounted cannot be replaced. Only whole lines are added, and a line
 * is taken out by one byte that makes it a comment, so that a reader never sees half a line.
 */
function refreshFile(path: string, wanted: readonly string[]): void {
  // A second process can add the same line: the second look, after both have, takes it out again.
  while (unlessGone(() => changeFile(path, wanted)));
}

/** Returns whether it has added lines. */
function changeFile(path: string, wanted: readonly string[]): boolean {
  const text = unlessGone(() => readFileSync(path, 'latin1'))
  if (text === undefined) return false
  const { missing, surplus } = compareHosts(text, wanted)
  if (missing === '' && surplus.length === 0) return false
  const file = openSync(path, 'r+')
  try {
    for (const offset of surplus) writeSync(file, '#', offset)
  } finally {
    closeSync(file)
  }
  if (missing !== '') appendFileSync(path, missing)
  return missing !== ''
}

/** Compares the servers in a hosts file with those that should be there. Surplus lines are given by their offsets. */
export function compareHosts(
  text: string,
  wanted: readonly string[],
): { readonly missing: string; readonly surplus: readonly number[] } {
  const missing = new Set(wanted)
  const surplus: number[] = []
  let offset = text.indexOf(SEPARATOR) + SEPARATOR.length
  for (const line of text.slice(offset).split(/(?<=\n)/)) {
    if (!line.startsWith('#') && line !== '' && !missing.delete(line)) surplus.push(offset)
    offset += line.length
  }
  return { missing: [...missing].join(''), surplus }
}
