import { type ChildProcess, spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { parse } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import type { EngineEndpoint } from '../../model/engine-endpoint.ts'
import { type Host, OUTLIVES_STARTER } from '../../model/host.ts'
import type { Holder, Keeper } from '../../model/session.ts'
import { identifyProcess, readMachine } from '../processes.ts'
import {
  isInOwnFolder,
  type KeeperAnswer,
  type KeeperOrder,
  type KeeperReady,
  type KeeperRequest,
  keeperSocket,
  readLines,
  readSocketId,
} from './protocol.ts'

/** A connection to a keeper. */
export interface KeeperClient {
  /** Sends a request and returns its answer; undefined when the keeper is gone or does not answer in time. */
  ask(request: KeeperRequest): Promise<KeeperAnswer | undefined>
  /** Sends a request and ignores its answer. */
  send(request: KeeperRequest): void
  /** Closes the connection. The keeper continues without this process. */
  close(): void
}

/** A keeper that this process has started. */
export interface StartedKeeper extends KeeperClient, KeeperReady {}

export interface KeeperHost {
  /** Path of the keeper's program. */
  readonly keeperFile: string
  readonly platform: NodeJS.Platform
  readonly environment: Readonly<Record<string, string | undefined>>
}

const ANSWER_TIMEOUT_MS = 5000
const CONNECT_TIMEOUT_MS = 2000
/** Limit for answers that were not read, because `send` ignores them. */
const MOST_UNREAD = 100

/**
 * Starts a keeper that outlives this process, its terminal and its process group. Undefined when it does not start: the
 * next call of testfleet then cleans up in its place.
 */
async function startKeeper(order: KeeperOrder, host: KeeperHost): Promise<StartedKeeper | undefined> {
  const child = spawn(process.execPath, [host.keeperFile, OUTLIVES_STARTER], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    // The keeper blocks no folder, and keeps nothing of the caller's environment in memory.
    cwd: parse(host.keeperFile).root,
    env: host.platform === 'win32' ? { SystemRoot: host.environment.SystemRoot } : {},
    windowsHide: true,
  })
  const { stdin, stdout } = child
  const lines = openLines(stdout, stdin)
  // The keeper must not keep this program alive.
  child.unref()
  for (const pipe of [stdin, stdout] as unknown as Socket[]) pipe.unref()
  if (!(await hasStarted(child))) return undefined
  stdin.write(`${JSON.stringify(order)}\n`)
  const [ready, greeting] = [await lines.next(), await lines.next()]
  if (!isReady(ready) || greeting === undefined) {
    child.kill('SIGKILL')
    return undefined
  }
  const close = (): void => {
    stdin.destroy()
    stdout.destroy()
  }
  return { ...ready, ...toClient(lines, stdin), close }
}

function hasStarted(child: ChildProcess): Promise<boolean> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(true)).once('error', () => resolve(false))
  })
}

/** Connects to the keeper of another process, and so holds the session. Undefined when no keeper answers there. */
export async function joinKeeper(socket: string): Promise<KeeperClient | undefined> {
  if (!isKeeperSocket(socket)) return undefined
  const connection = connect(socket)
  const lines = openLines(connection, connection)
  connection.unref()
  const clock = setTimeout(() => connection.destroy(), CONNECT_TIMEOUT_MS)
  const greeting = await lines.next()
  clearTimeout(clock)
  if (!isAnswer(greeting)) {
    connection.destroy()
    return undefined
  }
  return { ...toClient(lines, connection), close: () => void connection.end() }
}

/** A record could name any socket of this machine, so only sockets in this user's keeper folder are used. */
export function isKeeperSocket(path: string, platform = process.platform): boolean {
  return isOwnSocket(path, /^[0-9a-f]+$/, platform)
}

/** Whether a path has such an id, and is in the folder of this user's sockets. */
export function isOwnSocket(path: string, id: RegExp, platform = process.platform): boolean {
  try {
    return id.test(readSocketId(path, platform) ?? '') && isInOwnFolder(path)
  } catch {
    return false
  }
}

function toClient(lines: Lines, output: Writable): Pick<KeeperClient, 'ask' | 'send'> {
  const send = (request: KeeperRequest): void => {
    if (!lines.isOver() && output.writable) output.write(`${JSON.stringify(request)}\n`)
  }
  return {
    send,
    async ask(request) {
      send(request)
      const answer = await lines.next()
      return isAnswer(answer) ? answer : undefined
    },
  }
}

function isReady(value: unknown): value is KeeperReady {
  return typeof value === 'object' && value !== null && 'process' in value && 'socket' in value
}

/** Another program may listen where a keeper did. */
function isAnswer(value: unknown): value is KeeperAnswer {
  return typeof value === 'object' && value !== null && 'held' in value && typeof value.held === 'number'
}

interface Lines {
  /** Returns the next line's JSON; undefined when it is not JSON, when the connection has ended, or on a timeout. */
  next(): Promise<unknown>
  isOver(): boolean
}

function openLines(input: Readable, output: Writable): Lines {
  const received: unknown[] = []
  const waiting: ((value: unknown) => void)[] = []
  let isOver = false
  const end = (): void => {
    isOver = true
    for (const wake of waiting.splice(0)) wake(undefined)
  }
  output.on('error', end)
  input.on('error', end).on('end', end).on('close', end)
  input.on(
    'data',
    readLines((line) => {
      const wake = waiting.shift()
      if (wake !== undefined) wake(parseJson(line))
      else if (received.length < MOST_UNREAD) received.push(parseJson(line))
      // A keeper sends only answers.
      else input.destroy()
    }),
  )
  return {
    isOver: () => isOver,
    next() {
      if (received.length > 0 || isOver) return Promise.resolve(received.shift())
      return new Promise((resolve) => {
        const clock = setTimeout(end, ANSWER_TIMEOUT_MS)
        waiting.push((value) => {
          clearTimeout(clock)
          resolve(value)
        })
      })
    },
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** The keeper of this call. Work goes on while it starts. */
export interface OwnKeeper {
  /** Entry for the record; undefined when it did not start. */
  readonly started: Promise<Keeper | undefined>
  /** Resolves with the number of other holders; undefined when the keeper is gone. */
  leave(): Promise<number | undefined>
  /** Makes the keeper end the session at that time. Resolves with whether it has accepted. */
  endAt(untilMs: number): Promise<boolean>
  /** Ends the keeper. Only the first call of `end`, `handOver` or `endAt` has an effect. */
  end(): void
  /** Leaves the remaining work to the keeper. */
  handOver(): void
}

export interface GuardedSession {
  readonly id: string
  readonly name: string
  /** Id of this call's change. */
  readonly change: string
  /** Folder in which the keeper keeps notes; undefined when it keeps none. */
  readonly stateFolder?: string | undefined
}

/** Starts a keeper that undoes the change, or ends the session, when this process dies. */
export function startOwnKeeper(guarded: GuardedSession, endpoint: EngineEndpoint, host: Host): OwnKeeper {
  const { id, name: session, change, stateFolder } = guarded
  const order = { id, session, change, endpoint, socket: keeperSocket(change, host), stateFolder }
  const starting = startKeeper(order, host)
  starting.catch(() => {})
  let isOver = false
  const finish = (act: (keeper: StartedKeeper) => void): void => {
    if (isOver) return
    isOver = true
    // A keeper that is still starting gets the request once it is up.
    void starting.then(
      (keeper) => {
        if (keeper !== undefined) act(keeper)
      },
      () => {},
    )
  }
  return {
    started: starting.then((keeper) => {
      if (keeper === undefined) return undefined
      return { machine: readMachine(), process: keeper.process, socket: keeper.socket }
    }),
    async leave() {
      return (await (await starting)?.ask({ do: 'leave' }))?.held
    },
    async endAt(untilMs) {
      const hasHeard = (await (await starting)?.ask({ do: 'until', untilMs })) !== undefined
      if (hasHeard) finish((keeper) => keeper.close())
      return hasHeard
    },
    end: () => finish((keeper) => keeper.send({ do: 'end' })),
    handOver: () => finish((keeper) => keeper.close()),
  }
}

export function ownHolder(processId: number): Holder {
  return { machine: readMachine(), process: identifyProcess(processId) ?? { pid: processId, startedAt: '' } }
}
