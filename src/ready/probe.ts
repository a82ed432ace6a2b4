import { connect, type Socket } from 'node:net'
import { TestfleetError } from '../model/failures.ts'
import type { Protocol } from '../model/fleet.ts'
import type { CheckOf, ProtocolName } from '../model/protocols.ts'

/** Where a probe can reach a port of the server. */
export interface Reach {
  /** Whether the engine is on another machine. */
  readonly isRemote: boolean
  /** Address at which tests reach the port; undefined when it is not published. */
  published(port: number, protocol?: Protocol): Address | undefined
  /** Address on the server's own network; undefined when this machine is not part of it. */
  direct(port: number): Address | undefined
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** Returns the published port if there is one, as tests use it. Fails with PORT_UNREACHABLE when there is no way at all. */
export function addressOf(reach: Reach, port: number, protocol: Protocol = 'tcp'): Address {
  const address = reach.published(port, protocol) ?? reach.direct(port)
  if (address !== undefined) return address
  throw new TestfleetError(
    'PORT_UNREACHABLE',
    `the port ${port} is not published, and this machine has no way into the engine's network`,
    {
      hint: `List the port${protocol === 'tcp' ? '' : ` as "${port}/${protocol}"`} in \`ports\`, or use an \`exec\` check.`,
    },
  )
}

/** Result of one try; `isSilent` when nothing came back in time. */
export type Answer =
  | { readonly isReady: true }
  | { readonly isReady: false; readonly answer: string; readonly isSilent: boolean }

/** One try, which waits for an answer for `patienceMs` once it is connected. */
export type Probe = (signal: AbortSignal, patienceMs: number) => Promise<Answer>

export const ready: Answer = { isReady: true }

export function notYet(answer: string): Answer {
  return { isReady: false, answer, isSilent: false }
}

export function silent(answer: string): Answer {
  return { isReady: false, answer, isSilent: true }
}

/** The server that a protocol check asks. */
export interface Target {
  readonly hostname: string
  readonly reach: Reach
  /** Reads the value of one of the server's secrets. */
  readSecret(name: string): Promise<string>
}

export type ProtocolProbe<Name extends ProtocolName> = (check: CheckOf<Name>, target: Target) => Probe

export interface Connection {
  readonly socket: Socket
  /** How long the server's machine took to answer: about one round trip. */
  readonly connectMs: number
}

/** How one try connects. */
export interface Dialing {
  readonly address: Address
  /** Whether the engine is on another machine. */
  readonly isRemote: boolean
  /** Grows from try to try with servers that stay silent. */
  readonly patienceMs: number
  readonly signal: AbortSignal
}

/**
 * On this machine a connection takes no time, but the kernel sends a lost first packet again only after a second: a new
 * try comes sooner. Each try that gets no answer waits longer, in case this machine is not as near as it looks.
 */
const LOCAL_CONNECT_TIMEOUT_MS = 100
const LOCAL_SHARE_OF_PATIENCE = 0.1
const REMOTE_CONNECT_TIMEOUT_MS = 3000

class NotTaken extends Error {}

/** Opens a connection, or rejects with the reason why there is none. The caller destroys the socket. */
export function openConnection({ address, isRemote, patienceMs, signal }: Dialing): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const startedAtMs = performance.now()
    const timeoutMs = isRemote
      ? Math.max(REMOTE_CONNECT_TIMEOUT_MS, patienceMs)
      : Math.max(LOCAL_CONNECT_TIMEOUT_MS, patienceMs * LOCAL_SHARE_OF_PATIENCE)
    const socket = connect({ host: address.host, port: address.port, signal })
    const timer = setTimeout(() => fail(new NotTaken('does not take the connection')), timeoutMs)
    const fail = (error: Error): void => {
      clearTimeout(timer)
      socket.destroy()
      reject(error)
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      clearTimeout(timer)
      socket.off('error', fail)
      socket.on('error', () => {})
      resolve({ socket, connectMs: performance.now() - startedAtMs })
    })
  })
}

/** The answer of a try that failed. Throws when the try was cancelled: what testfleet did itself is no answer. */
export function answerOfError(error: unknown, signal: AbortSignal): Answer {
  signal.throwIfAborted()
  return error instanceof NotTaken ? silent(error.message) : notYet(wordError(error))
}

/** What went wrong, in a few words. */
export function wordError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ECONNRESET') return 'connection reset'
  if (code === 'EHOSTUNREACH') return 'no route to it'
  return message
}
