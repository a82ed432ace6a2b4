import type { Try } from './notes.ts'

/** A call as it is drawn. All times are in milliseconds since the call began. */
export interface CallTimeline {
  /** Name of the call, such as `up`. */
  readonly call: string
  readonly session: string | undefined
  readonly version: string
  readonly startedAt: Date
  readonly totalMs: number
  readonly outcome: Outcome
  /** Why it failed. */
  readonly message: string | undefined
  /** Where the time went, in one sentence. */
  readonly summary: string
  readonly rows: readonly Row[]
  /** What each moment was spent on: nothing else would have made the call shorter. */
  readonly path: readonly PathPart[]
  /** The time in which a command of `run` worked. */
  readonly command: Range | undefined
  readonly warnings: readonly string[]
}

export type Outcome = 'ok' | 'failed' | 'cancelled'

export interface Range {
  readonly fromMs: number
  readonly toMs: number
}

/** The call itself, an image that several servers share, or a server. */
export interface Row {
  readonly kind: 'call' | 'image' | 'server'
  readonly name: string
  readonly spans: readonly Span[]
  readonly checks: readonly CheckLine[]
  /** When the server was ready. */
  readonly readyMs: number | undefined
  /** What became of it, in a few words. */
  readonly state: string
}

export type SpanKind = 'own' | 'wait' | 'image' | 'create' | 'start' | 'hook' | 'ready' | 'stop' | 'command'

/** Something that took time in a row. */
export interface Span extends Range {
  readonly id: string
  readonly kind: SpanKind
  /** Such as `creating`. */
  readonly title: string
  /** `cancelled` when something else had failed, or the call was cancelled. */
  readonly outcome: Outcome
  readonly isCritical: boolean
  /** Ids of the spans that it had to wait for. */
  readonly needs: readonly string[]
  /** More about it, in sentences. */
  readonly notes: readonly string[]
  readonly parts: readonly Part[]
}

/** A step of a build, or a command of a hook. */
export interface Part extends Range {
  readonly title: string
}

export interface CheckLine extends Range {
  readonly name: string
  readonly isPassed: boolean
  readonly tries: readonly Try[]
}

export interface PathPart extends Range {
  /** Id of its span; undefined for the time between two spans. */
  readonly span: string | undefined
  /** Such as `db's ready checks`. */
  readonly title: string
  /** What took longest in it. */
  readonly detail: string | undefined
}
