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
  /** What a person can do about it, if it is known. */
  readonly hint?: string | undefined
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
