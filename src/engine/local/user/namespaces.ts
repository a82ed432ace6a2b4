import { mkdir, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { TestfleetError } from '../../../model/failures.ts'
import { isRunning, markProcess, markSelf, type ProcessMark } from '../processes.ts'
import { callProgram, lastWords, type Machine, rootMachine, startProgram } from '../programs.ts'
import { sendSignal } from '../send-signal.ts'
import { freeName, listNames, makeFolder, readName, type Store, takeName } from '../store.ts'
import { startWayOut } from './way-out.ts'

/**
 * The namespaces of an ordinary user, in which the local engine works as root does: of users, mounts and networks. One small
 * process for each store keeps them (`sleep`), and another one leads their network out (`slirp4netns`). Both end when nothing
 * else runs in the namespaces.
 */
export interface Holder {
  readonly sleep: ProcessMark
  /** Undefined when there is no way out. */
  readonly wayOut: ProcessMark | undefined
}

const NAME = 'namespaces'

/** Returns how programs are started in the namespaces of a store. Makes these when there are none. ENGINE_REFUSED. */
export async function joinNamespaces(store: Store, hasRange: boolean): Promise<Machine> {
  const folder = store.path('names')
  for (;;) {
    const found = await findHolder(store)
    if (found !== undefined) return machineOf(found.sleep.pid)
    const holder = await startHolder(store, hasRange)
    const text = encodeHolder(holder)
    // Of two callers, one has to use the namespaces of the other.
    if ((await takeName(folder, NAME, text, isAlive)) === text) return machineOf(holder.sleep.pid)
    await endHolder(holder)
  }
}

/**
 * Returns what keeps the namespaces of the caller, if they are still those that other calls join. Call it inside, before
 * anything is made in them.
 */
export async function findOwnHolder(store: Store): Promise<Holder | undefined> {
  const holder = await findHolder(store)
  if (holder === undefined) return undefined
  const [own, held] = await Promise.all(['self', String(holder.sleep.pid)].map(readNamespace))
  return own !== undefined && own === held ? holder : undefined
}

/**
 * Ends the namespaces when nothing but the caller runs in them. Call it inside, as the last thing. Of several calls that end
 * at once, none waits for the others.
 */
export async function endUnused(store: Store, holder: Holder): Promise<void> {
  const folder = store.path(NAME, ENDING)
  const marker = join(folder, nameOf(await markSelf()))
  // The store may have been removed.
  const noMarker = (): void => {}
  await mkdir(folder, { mode: 0o700 }).catch(noMarker)
  await writeFile(marker, '').catch(noMarker)
  try {
    await endIfUnused(store, holder)
  } finally {
    await rm(marker, { force: true })
  }
}

const ENDING = 'ending'

function nameOf({ pid, startedAt }: ProcessMark): string {
  return `${pid}-${startedAt}`
}

async function endIfUnused(store: Store, holder: Holder): Promise<void> {
  if (!(await becomesUnused(store, holder))) return
  const [folder, text] = [store.path('names'), encodeHolder(holder)]
  await freeName(folder, NAME, text)
  // A call that has joined before this looks for the name, and finds none.
  if (await isUsed(store, holder)) await takeName(folder, NAME, text, isAlive)
  else await endHolder(holder)
}

function machineOf(pid: number): Machine {
  const names = ['--user', '--preserve-credentials', '--mount', '--net']
  return { prefix: ['nsenter', '--target', String(pid), ...names, '--'] }
}

async function findHolder(store: Store): Promise<Holder | undefined> {
  const text = await readName(store.path('names'), NAME)
  if (text === undefined || !(await isAlive(text))) return undefined
  return decodeHolder(text)
}

async function isAlive(text: string): Promise<boolean> {
  const holder = decodeHolder(text)
  return holder !== undefined && isRunning(holder.sleep)
}

/** The text is the target of a symbolic link. */
function encodeHolder({ sleep, wayOut }: Holder): string {
  const marks = [sleep, ...(wayOut === undefined ? [] : [wayOut])]
  return marks.map(({ pid, startedAt, boot }) => [pid, startedAt, boot].join(':')).join(',')
}

function decodeHolder(text: string): Holder | undefined {
  const [sleep, wayOut] = text.split(',').map((part) => {
    const [pid = '', startedAt = '', boot = ''] = part.split(':')
    return { pid: Number(pid), startedAt, boot }
  })
  return sleep === undefined || !(sleep.pid > 0) ? undefined : { sleep, wayOut }
}

/** Longest time until a process has made its namespaces. */
const LONGEST_START_MS = 10_000

async function startHolder(store: Store, hasRange: boolean): Promise<Holder> {
  const ids = ['--map-root-user', ...(hasRange ? ['--map-auto'] : [])]
  const words = ['unshare', '--user', ...ids, '--mount', '--net', '--', 'sleep', 'infinity']
  // setsid: it must outlive this process and its terminal.
  const child = startProgram(rootMachine, 'setsid', words, ['ignore', 'ignore', 'pipe'], { folder: '/' })
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1000)
  })
  const failed = new Promise<never>((_, reject) => {
    child.on('error', (error) => reject(cannotMake(error.message)))
    child.on('close', (code) => reject(cannotMake(said === '' ? `it ended with ${code}` : lastWords(said))))
  })
  failed.catch(() => {})
  const pid = child.pid ?? 0
  const sleep = await Promise.race([begun(pid), failed])
  try {
    const machine = machineOf(pid)
    const [wayOut] = await Promise.all([startWayOut(store, pid), prepareMounts(store, machine), raiseLoopback(machine)])
    child.stderr?.destroy()
    child.unref()
    return { sleep, wayOut }
  } catch (error) {
    await endHolder({ sleep, wayOut: undefined })
    throw error
  }
}

/** Waits until the process has become `sleep`: before, it has no namespaces, or no ids in them. */
async function begun(pid: number): Promise<ProcessMark> {
  const until = performance.now() + LONGEST_START_MS
  while (performance.now() < until) {
    const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
    const mark = name === 'sleep\n' ? await markProcess(pid) : undefined
    if (mark !== undefined) return mark
    await setTimeout(1)
  }
  throw cannotMake(`nothing came of it within ${LONGEST_START_MS / 1000} s`)
}

function cannotMake(why: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `the namespaces of this user cannot be made: ${why}`, {
    hint: 'Run `testfleet doctor --engine local`: it says what is missing.',
  })
}

/**
 * Network namespaces are kept in /run/netns, and other things in /run. The user cannot write there, so a new /run takes its
 * place, with the folders of the old one.
 */
async function prepareMounts(store: Store, machine: Machine): Promise<void> {
  const before = await makeFolder(store.path(NAME, 'run'))
  const entries = await readdir('/run', { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && entry.name !== 'netns').map(({ name }) => name)
  const lines = [
    ['/run', before, 'none', 'rbind'],
    ['tmpfs', '/run', 'tmpfs', 'mode=755'],
    ...folders.map((name) => [join(before, name), join('/run', name), 'none', 'rbind,X-mount.mkdir']),
  ]
  const table = store.path(NAME, 'fstab')
  await writeFile(table, lines.map((words) => `${words.map(escapeWord).join(' ')} 0 0\n`).join(''), { mode: 0o600 })
  await callProgram(machine, 'mount', { arguments: ['--all', '--fstab', table] })
}

function escapeWord(text: string): string {
  return text.replaceAll(/[\s\\#]/g, (one) => `\\${one.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

async function raiseLoopback(machine: Machine): Promise<void> {
  await callProgram(machine, 'ip', { arguments: ['link', 'set', 'lo', 'up'] })
}

/** How long the last programs of removed containers, such as their monitors, take to end on a busy machine. */
const LONGEST_END_MS = 2000

/** Whether nothing else runs in the namespaces, now or as soon as what still ends there has ended. */
async function becomesUnused(store: Store, holder: Holder): Promise<boolean> {
  const until = performance.now() + LONGEST_END_MS
  while (await isUsed(store, holder)) {
    const hasContainers = (await listNames(store.path('containers'))).length > 0
    if (hasContainers || performance.now() > until) return false
    await setTimeout(20)
  }
  return true
}

/** Whether anything else runs in these namespaces: a container, its monitor, or another call that does not end. */
async function isUsed(store: Store, { sleep, wayOut }: Holder): Promise<boolean> {
  const [own, self] = await Promise.all([readNamespace('self'), readlink('/proc/self')])
  const known = new Set([self, String(sleep.pid), String(wayOut?.pid)])
  const ending = await listNames(store.path(NAME, ENDING))
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name) || known.has(name) || (await readNamespace(name)) !== own) continue
    const mark = await markProcess(Number(name))
    if (mark !== undefined && !ending.includes(nameOf(mark))) return true
  }
  return false
}

function readNamespace(pid: string): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/user`).catch(() => undefined)
}

async function endHolder({ sleep, wayOut }: Holder): Promise<void> {
  for (const mark of [sleep, wayOut]) if (mark !== undefined) await sendSignal(mark, 'SIGKILL')
}
