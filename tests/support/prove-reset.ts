import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect } from 'vitest'
import { openReset } from '../../src/lease/reset.ts'
import type { CatalogueSession } from './catalogue.ts'
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

/**
 * Proves that a reset of a server that `serve` runs is complete: it can write to no other place than those that come back,
 * and what was planted there, its processes and its connections are gone afterwards.
 */
export async function proveReset(session: CatalogueSession, server: string): Promise<void> {
  const container = session.report.servers[server]?.container ?? ''
  const { Config } = (await askEngine('GET', `/containers/${container}/json`)) as { Config: { Entrypoint: string[] } }
  const folders = Config.Entrypoint.filter((word) => word.startsWith('/') && !word.endsWith('/serve'))
  const shared = ['/tmp', '/var/tmp', '/dev/shm', '/run/lock']
  const outside = [...folders, ...shared, '/proc', '/sys', '/dev'].map((path) => `-path ${path}`).join(' -o ')
  expect(await run(session, server, `find / \\( ${outside} \\) -prune -o ! -type l -writable -print`)).toBe('')

  const all = [...folders, ...shared].join(' ')
  await run(
    session,
    server,
    `for folder in ${all}; do echo planted > $folder/planted; done; sleep 3600 > /dev/null 2>&1 &`,
  )
  const held = await hold(session, server)
  await resetServer(session, server)
  expect(await run(session, server, `find ${all} -name planted`)).toBe('')
  expect(await run(session, server, 'cat /proc/[0-9]*/cmdline | tr "\\0" " "')).not.toContain('sleep 3600')
  if (held !== undefined && !held.destroyed) await once(held, 'close')
  const { servers } = await session.fleet.json(['ps'])
  expect(servers[server]?.state).toBe('ready')
}

async function run(session: CatalogueSession, server: string, script: string): Promise<string> {
  return (await session.fleet.call(['exec', server, '--', 'sh', '-c', script])).stdout
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
