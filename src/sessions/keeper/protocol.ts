import type { EngineEndpoint } from '../../model/engine-endpoint.ts'
import type { LeaseKind, ProcessIdentity } from '../../model/lease.ts'

/**
 * What is said to a keeper, and what it answers: JSON, an object a line. docs/keeper.md is the same in words.
 * To hold a session is to keep a connection open; whoever only wants that says nothing at all.
 */
export type Request =
  /** Goes; answered by how many others are left. With none, nobody can join any more, and what is left is the asker's. */
  | { readonly do: 'leave' }
  /** Holds it for another process, until that one ends, or is dropped. */
  | { readonly do: 'hold'; readonly pid: number; readonly startedAt?: string }
  | { readonly do: 'drop'; readonly pid: number }
  /** What was made stays when everybody has left: only what was set aside, and the lease, go then. */
  | { readonly do: 'keep' }
  /** The session goes at that time, and not when everybody has left; from now on under that lease. */
  | { readonly do: 'until'; readonly untilMs: number; readonly lease: string }
  /** There is nothing left to be done: ends at once. */
  | { readonly do: 'end' }

/** The answer to each request, in order; also what a connection is greeted with. */
export interface Answer {
  readonly session: string
  /** How many hold it, besides whoever asks. */
  readonly held: number
  readonly error?: string
}

/** The first line that a keeper reads, from its standard input. */
export interface Order {
  readonly session: string
  readonly lease: string
  readonly kind: LeaseKind
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

/** A line that is longer is no request. */
const MAX_LINE_LENGTH = 64 * 1024

/** Hands on each whole line of what comes in. */
export function readLines(onLine: (line: string) => void): (chunk: Buffer) => void {
  let pending = ''
  return (chunk) => {
    const lines = (pending + chunk.toString('utf8')).split('\n')
    pending = (lines.pop() ?? '').slice(-MAX_LINE_LENGTH)
    for (const line of lines) if (line.trim() !== '') onLine(line)
  }
}
