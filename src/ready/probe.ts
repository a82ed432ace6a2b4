import { connect, type Socket } from 'node:net'
import type { Protocol } from '../formats/port-range.ts'
import { TestfleetError } from '../model/failures.ts'
import type { CheckOf, ProtocolName } from '../model/protocols.ts'
import { afterReading } from './after-reading.ts'
import type { ClientCertificate } from './tls.ts'

/** Addresses at which a probe can reach a port of the server. */
export interface Reach {
  /** Whether the engine is on another machine. */
  readonly isRemote: boolean
  /** Address at which tests reach the port, or undefined when it is not published. */
  published(port: number, protocol?: Protocol): Address | undefined
  /** Address on the server's own network, or undefined when this machine is not part of it. */
  direct(port: number): Address | undefined
}

export interface Address {
  readonly host: string
  readonly port: number
}

/** Returns the published port if there is one, as tests use it. PORT_UNREACHABLE when no address is reachable. */
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

/** Result of one try. */
export type Answer =
  | { readonly isReady: true }
  | {
      readonly isReady: false
      readonly answer: string
      /** Whether nothing arrived in time. */
      readonly isSilent: boolean
      /** Whether the connection was refused, or closed before the server said anything. */
      readonly isUnheard?: true
      /** Whether the server has refused the login, which time alone does not change. */
      readonly isRefusal?: true
    }

/** One try, which waits for an answer for `patienceMs` once it is connected. */
export type Probe = (signal: AbortSignal, patienceMs: number, waiting?: Waiting) => Promise<Answer>

/** Callbacks of a try while there is no answer. */
export interface Waiting {
  /** How long a connection may take. It grows from try to try for servers that do not accept one. */
  readonly connectMs: number
  /** Receives what the server has said so far, in words. */
  onWait(answer: string): void
}

const FIRST_NEWS_MS = 1000

/** Reports on a try that goes on, after a second and then less often. Returns a function that stops the reports. */
export function reportWhile(say: () => string, { onWait }: Waiting): () => void {
  let timer: NodeJS.Timeout
  const reportAfter = (delayMs: number): void => {
    timer = setTimeout(() => {
      onWait(say())
      reportAfter(delayMs * 2)
    }, delayMs)
  }
  reportAfter(FIRST_NEWS_MS)
  return () => clearTimeout(timer)
}

export const ready: Answer = { isReady: true }

export function notYet(answer: string): Answer {
  return { isReady: false, answer, isSilent: false }
}

export function silent(answer: string): Answer {
  return { isReady: false, answer, isSilent: true }
}

/** The connection was refused, or closed before the server said anything. */
export function unheard(answer: string): Answer {
  return { isReady: false, answer, isSilent: false, isUnheard: true }
}

/** The server that a protocol check asks. */
export interface Target {
  readonly hostname: string
  readonly reach: Reach
  /** Reads the value of one of the server's secrets. */
  readSecret(name: string): Promise<string>
  /** Reads the fleet's client certificate; undefined if it has none. */
  readClientCertificate?(): Promise<ClientCertificate | undefined>
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
  /** Grows from try to try for servers that accept no connection. */
  readonly connectMs: number
  readonly signal: AbortSignal
}

/**
 * On this machine a connection takes no time, but the kernel resends a lost first packet only after a second, so a new
 * try is faster. Each try without an answer waits longer, in case the server's machine is further away than it appears.
 */
const LOCAL_CONNECT_TIMEOUT_MS = 100
const LOCAL_SHARE = 0.1
const REMOTE_CONNECT_TIMEOUT_MS = 3000

class NotTaken extends Error {}

/** The server has refused the login, in its own words. */
export class LoginRefused extends Error {}

/** The server has closed the connection without saying anything. */
export class Closed extends Error {
  constructor() {
    super('closes the connection')
  }
}

/** Opens a connection, or rejects with the reason. The caller destroys the socket. */
export function openConnection({ address, isRemote, connectMs, signal }: Dialing): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const startedAtMs = performance.now()
    const timeoutMs = isRemote
      ? Math.max(REMOTE_CONNECT_TIMEOUT_MS, connectMs)
      : Math.max(LOCAL_CONNECT_TIMEOUT_MS, connectMs * LOCAL_SHARE)
    const socket = connect({ host: address.host, port: address.port, signal })
    const stopClock = afterReading(timeoutMs, () => fail(new NotTaken('does not take the connection')))
    const fail = (error: Error): void => {
      stopClock()
      socket.destroy()
      reject(error)
    }
    socket.once('error', fail)
    socket.once('connect', () => {
      stopClock()
      socket.off('error', fail)
      socket.on('error', () => {})
      resolve({ socket, connectMs: performance.now() - startedAtMs })
    })
  })
}

/** Returns the answer of a failed try. Throws when the try was cancelled: testfleet's own action is no answer. */
export function answerOfError(error: unknown, signal: AbortSignal): Answer {
  signal.throwIfAborted()
  if (error instanceof NotTaken) return silent(error.message)
  if (error instanceof LoginRefused) return { isReady: false, answer: error.message, isSilent: false, isRefusal: true }
  const isUnheard = error instanceof Closed || /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '')
  return (isUnheard ? unheard : notYet)(wordError(error))
}

/** Says what went wrong, in a few words. */
export function wordError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ECONNRESET') return 'connection reset'
  if (code === 'EHOSTUNREACH') return 'no route to it'
  return message
}
