import type { EventData, ServerEventKind } from '../events.ts'
import type { SessionOptions } from './options.ts'

/**
 * Options of `activity`.
 *
 * @internal
 */
export interface ActivityOptions extends SessionOptions {
  /** Names of the servers. Default: all. */
  readonly servers?: readonly string[] | undefined
  readonly since: Date
  /** End of the events. Lines are read up to now. */
  readonly until: Date
}

/**
 * What a server did in a time.
 *
 * @internal
 */
export interface ServerActivity {
  readonly server: string
  /** The last lines of its log, at most 64 KiB, with secrets masked. */
  readonly lines: readonly ActivityLine[]
  /** Number of earlier lines of that time that were left out. */
  readonly leftOut: number
  /** Why there are no lines, if they could not be read. */
  readonly problem?: string | undefined
  readonly events: readonly ActivityEvent[]
  /** Exit code of a server that does not run although it should; undefined for every other server. */
  readonly exitCode?: number | undefined
}

/** @internal */
export interface ActivityLine {
  /** When it was written: ISO 8601 in UTC, with milliseconds. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  readonly text: string
}

/** @internal */
export type ActivityEvent = {
  [Kind in ServerEventKind]: { readonly time: string; readonly kind: Kind; readonly data: EventData[Kind] }
}[ServerEventKind]
