import { keeperSocket, type SocketHost } from '../sessions/keeper/protocol.ts'

/** First line that a lender reads from standard input. Each service adds fields of its own. */
export interface LenderOrder {
  /** The service that the lender offers. */
  readonly kind: string
  /** Path of the socket at which its clients connect. Only one lender serves a path. */
  readonly socket: string
  /** Variables of the caller that the service needs: the lender itself starts with a clean environment. */
  readonly environment?: Readonly<Record<string, string>> | undefined
}

/** First line that a lender writes to standard output: whether it serves the path. If not, another one already does. */
export interface LenderReady {
  readonly isServing: boolean
  /** Why it cannot serve. */
  readonly problem?: string | undefined
}

/** A failure as an answer has it. */
export interface AnsweredError {
  readonly code: string
  readonly message: string
  readonly hint?: string | undefined
  readonly server?: string | undefined
  /** Lines to show below the message. */
  readonly output?: readonly string[] | undefined
}

/** Longest line of a request or an answer, in characters. A client that sends a longer one is disconnected. */
export const MAX_LINE_LENGTH = 64 * 1024

/** A socket address has room for 103 characters on macOS; a lender adds up to this many to the path. */
const LONGEST_SUFFIX = 20
const MAX_PATH_LENGTH = 103

/** Returns the path of a lender's socket, in a folder that only its user can enter. `key` is made of letters, digits and dashes. */
export function lenderSocket(key: string, host: SocketHost): string {
  const wanted = keeperSocket(`lender-${key}`, host)
  if (host.platform === 'win32' || Buffer.byteLength(wanted) + LONGEST_SUFFIX <= MAX_PATH_LENGTH) return wanted
  return keeperSocket(`lender-${key}`, { ...host, environment: {}, temporaryFolder: '/tmp' })
}
