import { lstatSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { EngineEndpoint } from '../../model/engine-endpoint.ts'
import type { ProcessIdentity } from '../../model/session.ts'

/**
 * What is said to a keeper: JSON, one object a line; docs/sessions.md has the same for other languages. An open
 * connection holds the session: a client that only wants that sends nothing.
 */
export type Request =
  /** Asks how many others hold the session. If none do, nobody can join any more, and the asker removes the session. */
  | { readonly do: 'leave' }
  /** Holds the session for another process, until that process ends or is dropped. */
  | { readonly do: 'hold'; readonly pid: number; readonly startedAt?: string }
  | { readonly do: 'drop'; readonly pid: number }
  /** From now on the session ends at that time, whoever holds it. */
  | { readonly do: 'until'; readonly untilMs: number }
  /** Nothing is left to clean up: the keeper ends. */
  | { readonly do: 'end' }

/** The answer to each request, in order. A new connection is greeted with one. */
export interface KeeperAnswer {
  /** The session's name. */
  readonly session: string
  /** How many hold it, the asker not counted. */
  readonly held: number
  readonly error?: string
}

/** The first line that a keeper reads, from its standard input. */
export interface Order {
  /** Of the session. */
  readonly id: string
  readonly session: string
  /** The change that the keeper undoes when nobody is connected any more. */
  readonly change: string
  readonly endpoint: EngineEndpoint
  /** Where to listen. */
  readonly socket: string
}

/** The first line that a keeper writes, to its standard output. */
export interface Ready {
  readonly process: ProcessIdentity
  /** Where it listens; empty when it cannot. */
  readonly socket: string
}

/** A longer line is no request. */
const MAX_LINE_LENGTH = 64 * 1024

/** Hands on each complete line of what arrives. */
export function readLines(onLine: (line: string) => void): (chunk: Buffer) => void {
  let pending = ''
  return (chunk) => {
    const lines = (pending + chunk.toString('utf8')).split('\n')
    pending = (lines.pop() ?? '').slice(-MAX_LINE_LENGTH)
    for (const line of lines) if (line.trim() !== '') onLine(line)
  }
}

export interface SocketHost {
  readonly platform: NodeJS.Platform
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly temporaryFolder: string
  readonly userId: number | undefined
}

/** Whether no other user can have put a socket there: its folder is this user's alone. A pipe of Windows has no folder. */
export function isInOwnFolder(socket: string): boolean {
  if (socket.startsWith('\\\\.\\pipe\\')) return true
  const { uid, mode } = lstatSync(dirname(socket))
  return uid === process.getuid?.() && (mode & 0o077) === 0
}

/** A socket's address has room for 107 characters on Linux, 103 on macOS. */
const MAX_PATH_LENGTH = 103

/** Where a keeper listens: in a folder that only its user can enter. `id` is a change's. */
export function keeperSocket(id: string, { platform, environment, temporaryFolder, userId }: SocketHost): string {
  if (platform === 'win32') return `\\\\.\\pipe\\testfleet-${id}.sock`
  const path = (root: string): string => join(root, `testfleet-${userId ?? 0}`, `${id}.sock`)
  const wanted = path(environment.XDG_RUNTIME_DIR || temporaryFolder)
  return Buffer.byteLength(wanted) <= MAX_PATH_LENGTH ? wanted : path('/tmp')
}
