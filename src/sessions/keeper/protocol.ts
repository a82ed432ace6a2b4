import { lstatSync } from 'node:fs'
import { dirname, isAbsolute, join, normalize } from 'node:path'
import type { EngineEndpoint } from '../../model/engine-endpoint.ts'
import type { ProcessIdentity } from '../../model/session.ts'

/**
 * A request to a keeper: one JSON object a line. docs/sessions.md documents the protocol for other languages. An open
 * connection holds the session, so a client that only wants to hold it sends nothing.
 */
export type KeeperRequest =
  /**
   * Asks for the number of other holders. If there are none, nobody can join any more, and the asker removes the
   * session.
   */
  | { readonly do: 'leave' }
  /** Holds the session for another process until that process ends or is dropped. */
  | { readonly do: 'hold'; readonly pid: number; readonly startedAt?: string }
  | { readonly do: 'drop'; readonly pid: number }
  /** Ends the session at that time, regardless of its holders. */
  | { readonly do: 'until'; readonly untilMs: number }
  /** Ends the keeper, because nothing is left to clean up. */
  | { readonly do: 'end' }

/** Answer to one request. Answers come in the order of requests; a new connection is greeted with one. */
export interface KeeperAnswer {
  /** Name of the session. */
  readonly session: string
  /** Number of holders, without the asker. */
  readonly held: number
  readonly error?: string
}

/** First line that a keeper reads from standard input. */
export interface KeeperOrder {
  /** Id of the session. */
  readonly id: string
  readonly session: string
  /** Id of the change that the keeper undoes when nobody is connected any more. */
  readonly change: string
  readonly endpoint: EngineEndpoint
  /** Path of the socket to listen on. */
  readonly socket: string
  /** Folder in which it keeps a note of servers that did not run; left out when none is to be kept. */
  readonly stateFolder?: string | undefined
}

/** First line that a keeper writes to standard output. */
export interface KeeperReady {
  readonly process: ProcessIdentity
  /** Path of the socket; empty when it cannot listen. */
  readonly socket: string
}

/** Longer lines are rejected. */
const MAX_LINE_LENGTH = 64 * 1024

/** Calls `onLine` for each complete line. */
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
  readonly socketEnvironment?: SocketHost['environment'] | undefined
  readonly temporaryFolder: string
  readonly userId: number | undefined
}

/**
 * Whether the socket's folder belongs to this user alone, so that no other user can have put the socket there. A
 * Windows pipe has no folder.
 */
export function isInOwnFolder(socket: string): boolean {
  if (socket.startsWith('\\\\.\\pipe\\')) return true
  const { uid, mode } = lstatSync(dirname(socket))
  return uid === process.getuid?.() && (mode & 0o077) === 0
}

/** A socket address has room for 107 characters on Linux, 103 on macOS. */
const MAX_PATH_LENGTH = 103

/** Returns the path of a keeper's socket, in a folder that only its user can enter. `id` is the id of a change. */
export function keeperSocket(id: string, host: SocketHost): string {
  const { platform, temporaryFolder, userId, socketEnvironment: environment = host.environment } = host
  if (platform === 'win32') return `\\\\.\\pipe\\testfleet-${id}.sock`
  const path = (root: string): string => join(root, `testfleet-${userId ?? 0}`, `${id}.sock`)
  // The base directory specification has relative paths ignored.
  const roots = [environment.XDG_RUNTIME_DIR ?? '', temporaryFolder]
  const wanted = path(roots.find(isAbsolute) ?? '/tmp')
  return Buffer.byteLength(wanted) <= MAX_PATH_LENGTH ? wanted : path('/tmp')
}

/** Returns the id in a path that `keeperSocket` makes; undefined for any other path, as a record could have it. */
export function readSocketId(path: unknown, platform: NodeJS.Platform): string | undefined {
  if (typeof path !== 'string') return undefined
  if (platform === 'win32') return /^\\\\\.\\pipe\\testfleet-([^/\\]+)\.sock$/.exec(path)?.[1]
  return isAbsolute(path) && normalize(path) === path ? /\/testfleet-\d+\/([^/]+)\.sock$/.exec(path)?.[1] : undefined
}
