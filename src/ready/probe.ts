import { connect, type Socket } from 'node:net'
import type { Protocol } from '../formats/port-range.ts'
import { TestfleetError } from '../model/failures.ts'
import type { CheckOf, ProtocolName } from '../model/protocols.ts'
import type { ClientCertificate } from './tls.ts'

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

/** Result of one try. */
export type Answer =
  | { readonly isReady: true }
  | {
      readonly isReady: false
      readonly answer: string
      /** Whether nothing came back in time. */
      readonly isSilent: boolean
      /** Whether the connection was refused, or closed before the server said anything. */
      readonly isUnheard?: true
      /** Whether the server has refused the login, which time alone does not change. */
      readonly isRefusal?: true
    }

/** One try, which waits for an answer for `patienceMs` once it is connected. */
export type Probe = (signal: AbortSignal, patienceMs: number, waiting?: Waiting) => Promise<Answer>

/** What a try does while there is no answer. */
export interface Waiting {
  /** How long a connection may take: it grows from try to try with servers that do not take one. */
  readonly connectMs: number
  /** Receives what the server has said so far, in words. */
  onWait(answer: string): void
}

const FIRST_NEWS_MS = 1000

/** Reports what there is to say of a try that goes on: after a second, and then less and less often. Returns what ends it. */
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
  /** Reads the certificate that the fleet has for clients; undefined where it has none. */
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
  /** Grows from try to try with servers that take no connection. */
  readonly connectMs: number
  readonly signal: AbortSignal
}

/**
 * On this machine a connection takes no time, but the kernel sends a lost first packet again only after a second: a new
 * try comes sooner. Each try that gets no answer waits longer, in case this machine is not as near as it looks.
 */
const LOCAL_CONNECT_TIMEOUT_MS = 100
const LOCAL_SHARE = 0.1
const REMOTE_CONNECT_TIMEOUT_MS = 3000

class NotTaken extends Error {}

/** The server has refused the login, in its own words. */
export class LoginRefused extends Error {}

/** The server has ended the connection and said nothing. */
export class Closed extends Error {
  constructor() {
    super('closes the connection')
  }
}

/** Opens a connection, or rejects with the reason why there is none. The caller destroys the socket. */
export function openConnection({ address, isRemote, connectMs, signal }: Dialing): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const startedAtMs = performance.now()
    const timeoutMs = isRemote
      ? Math.max(REMOTE_CONNECT_TIMEOUT_MS, connectMs)
      : Math.max(LOCAL_CONNECT_TIMEOUT_MS, connectMs * LOCAL_SHARE)
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
  if (error instanceof NotTaken) return silent(error.message)
  if (error instanceof LoginRefused) return { isReady: false, answer: error.message, isSilent: false, isRefusal: true }
  const isUnheard = error instanceof Closed || /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '')
  return (isUnheard ? unheard : notYet)(wordError(error))
}

/** What went wrong, in a few words. */
export function wordError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'connection refused'
  if (code === 'ECONNRESET') return 'connection reset'
  if (code === 'EHOSTUNREACH') return 'no route to it'
  return message
}
