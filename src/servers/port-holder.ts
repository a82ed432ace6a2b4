import { readdir, readFile, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import type { CallOptions } from '../engine/engine.ts'
import { TestfleetError } from '../model/failures.ts'
import { type Fleet, type Position, portPath, type Server } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import { say } from '../model/surface.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { SessionSettings } from './describe-server.ts'

export interface PortContext {
  readonly settings: Pick<SessionSettings, 'bind'>
  readonly runtime: Runtime
  /** Returns the name of a session by its id; undefined for an unknown one. */
  nameSession(id: string): Promise<string | undefined>
}

/**
 * Names the port that is taken, the program that has it when known, and the line of the fleet file that asks for it.
 */
export async function explainTakenPort(
  error: TestfleetError,
  server: Server,
  fleet: Fleet,
  context: PortContext,
  options: CallOptions,
): Promise<TestfleetError> {
  const number = Number(/\b(?:port )?(\d{1,5})\b(?!.*\d)/.exec(error.message)?.[1])
  const index = server.ports.findIndex((port) => (port.host ?? port.container) === number)
  const holder = await findHolder(number, context, options)
  const isOfCall = context.settings.bind === 'fixed' && server.ports[index]?.host === undefined
  return new TestfleetError(
    'PORT_TAKEN',
    `the port ${number} of this machine${isOfCall ? `, requested by ${say('bindFixed')},` : ''} is taken${holder === undefined ? '' : ` by ${holder}`}`,
    {
      server: server.name,
      at: isOfCall ? undefined : fleet.source.locate(portPath(server, Math.max(index, 0))),
      hint: `Free the port, or use a free one: leave out \`host\`, and do not use ${say('bindFixed')}.`,
      cause: error,
    },
  )
}

/**
 * Adds the line of the fleet file to the failure of a server without a container, which names the process that has the
 * port. The server that this process belongs to says more.
 */
export async function explainOwnPort(
  error: TestfleetError,
  server: Server,
  fleet: Fleet,
  context: Pick<PortContext, 'runtime' | 'nameSession'>,
  options: CallOptions,
): Promise<TestfleetError> {
  const holder = await findServer(server.ports[indexOf(error, server)]?.container ?? 0, context, options)
  const message = holder === undefined ? error.message : error.message.replace(/, by .*$/, `, by ${holder}`)
  const at = locateOwnPort(error, server, fleet)
  const { hint } = error
  return new TestfleetError('PORT_TAKEN', `${server.name}: ${message}`, { server: server.name, at, hint, cause: error })
}

/** Returns the line of the fleet file with the port of a server without a container that such a failure is about. */
export function locateOwnPort(error: TestfleetError, server: Server, fleet: Fleet): Position {
  return fleet.source.locate(portPath(server, Math.max(indexOf(error, server), 0)))
}

function indexOf({ message }: TestfleetError, { ports }: Server): number {
  return ports.findIndex(({ container }) => message.includes(`:${container},`))
}

async function findHolder(port: number, context: PortContext, options: CallOptions): Promise<string | undefined> {
  return (await findServer(port, context, options)) ?? findProcess(port)
}

/** Names the server or container that has a port; undefined when it is neither. */
async function findServer(
  port: number,
  { runtime, nameSession }: Pick<PortContext, 'runtime' | 'nameSession'>,
  options: CallOptions,
): Promise<string | undefined> {
  const container = await runtime.findPublisher(port, options).catch(() => undefined)
  if (container === undefined) return undefined
  const { [label.session]: id, [label.server]: server } = container.labels
  const session = id === undefined ? undefined : await nameSession(id).catch(() => undefined)
  if (session === undefined) return `the container ${container.name}`
  return `${server} of session ${session} (${say('down', session)})`
}

/** Finds the process that listens at a TCP port, in /proc; undefined without /proc or without permission. */
async function findProcess(port: number): Promise<string | undefined> {
  const sockets = await findListeningSockets(port)
  if (sockets.size === 0) return undefined
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))
  for (const process of processes) {
    const files = await readdir(`/proc/${process}/fd`).catch(() => [])
    for (const file of files) {
      const target = await readlink(`/proc/${process}/fd/${file}`).catch(() => '')
      if (!sockets.has(target)) continue
      return `${await readProgramName(process)} (process ${process})`
    }
  }
  return undefined
}

/** Returns the name of the executable file: a process can change its own name (Node 24: MainThread). */
async function readProgramName(process: string): Promise<string> {
  const path = await readlink(`/proc/${process}/exe`).catch(() => '')
  return basename(path.replace(/ \(deleted\)$/, '')) || 'a process'
}

/**
 * Returns sockets as `socket:[inode]`. Columns of /proc/net/tcp: 1 is the local address in hex, 3 the state (0A:
 * listening), 9 the inode.
 */
async function findListeningSockets(port: number): Promise<Set<string>> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  const tables = await Promise.all(
    ['tcp', 'tcp6'].map((table) => readFile(`/proc/net/${table}`, 'utf8').catch(() => '')),
  )
  const rows = tables.flatMap((table) => table.split('\n').map((row) => row.trim().split(/\s+/)))
  return new Set(
    rows
      .filter((columns) => columns[1]?.endsWith(suffix) && columns[3] === '0A')
      .map((columns) => `socket:[${columns[9]}]`),
  )
}
