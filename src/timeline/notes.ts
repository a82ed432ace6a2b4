import type { Phase } from '../model/events.ts'
import type { OperationKind } from '../model/plan.ts'

/** What happened during a call. All times are in milliseconds since the call began. */
export interface Notes {
  readonly phases: readonly NotedPhase[]
  /** Each after those that it needs. */
  readonly operations: readonly NotedOperation[]
  /** The ready checks of each server. */
  readonly checks: ReadonlyMap<string, readonly NotedCheck[]>
  readonly images: readonly NotedImage[]
  readonly hooks: readonly NotedHook[]
  /** Servers that were stopped or removed outside a plan: by an undo, or at the end of a session. */
  readonly ends: readonly NotedEnd[]
  readonly readyMs: ReadonlyMap<string, number>
  /** Why a server has failed. */
  readonly failed: ReadonlyMap<string, string>
  /** The server, or the image, because of which a server was not started. */
  readonly skipped: ReadonlyMap<string, string>
  readonly warnings: readonly string[]
  readonly session: string | undefined
}

export interface NotedPhase {
  /** `queue` is the time in which another call changed the session. */
  readonly phase: Phase | 'queue'
  readonly fromMs: number
}

export interface NotedOperation {
  readonly id: string
  readonly kind: OperationKind
  readonly needs: readonly string[]
  /** The servers that it works on; none for what the whole fleet needs. */
  readonly servers: readonly string[]
  /** Name of an image or a volume, or the hook. */
  readonly about: string
  /** Undefined when it was never begun. */
  fromMs: number | undefined
  /** Undefined when it has not ended. */
  toMs: number | undefined
  hasFailed: boolean
}

export interface NotedCheck {
  readonly name: string
  readonly fromMs: number
  /** When it passed; undefined when it never did. */
  passedMs: number | undefined
  readonly tries: readonly Try[]
}

/** A try of a ready check, or several in a row with the same answer. */
export interface Try {
  readonly fromMs: number
  readonly toMs: number
  readonly answer: string
  readonly count: number
  readonly isPassed: boolean
}

export interface NotedImage {
  readonly kind: 'pull' | 'build'
  readonly reference: string
  readonly servers: readonly string[]
  readonly fromMs: number
  toMs: number | undefined
  /** Steps of a build. */
  readonly steps: readonly NotedStep[]
}

export interface NotedStep {
  readonly title: string
  readonly fromMs: number
  readonly isCached: boolean
}

export interface NotedHook {
  readonly server: string
  readonly title: string
  readonly fromMs: number
}

export interface NotedEnd {
  readonly server: string
  readonly kind: 'stop' | 'remove'
  readonly fromMs: number
  toMs: number | undefined
}
