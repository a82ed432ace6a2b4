import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect } from 'vitest'
import { readEnd } from '../../src/engine/output-text.ts'
import { openReset } from '../../src/lease/reset.ts'
import { openContainers } from '../../src/runtime/containers/open-containers.ts'
import type { CatalogueSession } from './catalogue.ts'
import { withEngine } from './command.ts'
import { withTarget } from './lease-target.ts'
import { askEngine } from './raw-engine.ts'

/** Makes a server pristine, as the end of a lease does. */
export async function resetServer(session: CatalogueSession, server: string): Promise<void> {
  await withTarget(session.report.servers[server]?.container ?? '', async (target, tools) => {
    const reset = openReset(target, tools)
    try {
      await reset.run()
    } finally {
      await reset.close()
    }
  })
}

const shared = ['/tmp', '/var/tmp', '/dev/shm', '/dev/mqueue', '/run/lock']

/**
 * Proves that a reset of a server that `serve` runs is complete: its users can write to no other place than those that
 * come back, and what was planted there, processes and connections are gone afterwards.
 * `firstBytes` are for a server whose kernel gives it no connection before that.
 */
export async function proveReset(session: CatalogueSession, server: string, firstBytes = ''): Promise<void> {
  const container = session.report.servers[server]?.container ?? ''
  const places = await readPlaces(session, server)
  const folders = places.map(({ folder }) => folder)
  const outside = [...folders, ...shared, '/proc', '/sys', '/dev'].map((path) => `-path ${path}`).join(' -o ')
  const find = `find / \\( ${outside} \\) -prune -o ! -type l -writable -print 2> /dev/null`
  const isRoot = (await run(session, server, 'id -u')) === '0\n'
  const users = isRoot ? new Set(places.map(({ user }) => user).filter((user) => user !== '')) : ['']
  for (const user of users) expect(await run(session, server, as(user, find)), user).toBe('')

  const before = await observe(session, server, container, folders)
  const all = [...places, ...shared.map((folder) => ({ user: '', folder }))]
  const plant = all.map(({ user, folder }) => as(user, `[ ! -w ${folder} ] || echo planted > ${folder}/planted`))
  await run(session, server, `${plant.join('; ')}; sleep 3600 > /dev/null 2>&1 &`)
  const held = await hold(session, server)
  held?.write(firstBytes)
  await resetServer(session, server)
  expect(await observe(session, server, container, folders)).toEqual(before)
  if (held !== undefined && !held.destroyed) await once(held, 'close')
}

interface Place {
  /** Empty for the user that the server runs as. */
  readonly user: string
  readonly folder: string
}

/** What `serve` brings back, by its own command line. */
async function readPlaces(session: CatalogueSession, server: string): Promise<readonly Place[]> {
  const lines = await run(session, server, 'for one in /proc/[0-9]*/cmdline; do tr "\\0" "\\n" < $one; echo; done')
  const words = lines
    .split('\n\n')
    .map((text) => text.split('\n'))
    .find(([perl, program, next]) => perl?.endsWith('perl') && program?.endsWith('/serve') && next !== '--console')
  if (words === undefined) throw new Error(`${server} is not run by serve`)
  const places = words.slice(2, words.indexOf('--')).flatMap((word) => {
    const [, user = '', folder] = /^(?:([^/:]+):)?(\/.+)$/.exec(word) ?? []
    return folder === undefined ? [] : expandBraces(folder).map((one) => ({ user, folder: one }))
  })
  return places
}

function expandBraces(path: string): readonly string[] {
  const [, head = '', names, tail = ''] = /^(.*)\{(.*)\}(.*)$/.exec(path) ?? []
  return names === undefined ? [path] : names.split(',').map((name) => `${head}${name}${tail}`)
}

/** All that may differ, but for what each start of the program writes to its own folders. */
async function observe(session: CatalogueSession, server: string, container: string, folders: readonly string[]) {
  const changes = (await askEngine('GET', `/containers/${container}/changes`)) as { Path: string }[] | null
  const own = [...folders, ...shared].map((folder) => `${folder}/`)
  const isOutside = (path: string): boolean =>
    !own.some((folder) => folder.startsWith(`${path}/`) || path.startsWith(folder))
  const all = [...folders, ...shared].join(' ')
  return {
    changed: (changes ?? [])
      .map(({ Path }) => Path)
      .filter(isOutside)
      .sort(),
    planted: await run(session, server, `find ${all} -name planted 2> /dev/null`),
    queues: await run(session, server, 'tail -qn +2 /proc/sysvipc/*; ls -A /dev/mqueue'),
    sleeping: (await run(session, server, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "')).includes('sleep 3600'),
  }
}

function as(user: string, script: string): string {
  return user === '' ? script : `setpriv --reuid ${user} --regid ${user} --clear-groups sh -c '${script}'`
}

async function run(session: CatalogueSession, server: string, script: string): Promise<string> {
  const container = session.report.servers[server]?.container ?? ''
  return withEngine(async (engine) => {
    const running = await openContainers(engine).exec(container, { command: ['sh', '-c', script], environment: {} })
    return (await readEnd(running.output, 1_000_000)).replaceAll('\r', '')
  })
}

/** A connection to the first of its TCP ports. */
async function hold(session: CatalogueSession, server: string): Promise<Socket | undefined> {
  const { endpoints = {} } = session.report.servers[server] ?? {}
  const [key] = Object.keys(endpoints).filter((name) => name.endsWith('/tcp'))
  const endpoint = key === undefined ? undefined : endpoints[key]
  if (endpoint === undefined) return undefined
  const socket = connect(endpoint.port, endpoint.host).on('error', () => {})
  await once(socket, 'connect')
  socket.resume()
  return socket
}

/** Sends text to a port, and resolves with all that is answered until it contains `end`. */
export async function talk(
  session: CatalogueSession,
  server: string,
  port: string,
  text: string,
  end: string,
): Promise<string> {
  const { host, port: number } = session.published(server, port)
  const socket = connect(Number(number), host).setEncoding('latin1')
  socket.write(text, 'latin1')
  let answer = ''
  for await (const part of socket) {
    answer += part
    if (answer.includes(end)) break
  }
  socket.destroy()
  return answer
}
