import type { HookKind } from './hook.ts'
import type { Plan } from './plan.ts'

/**
 * State of a server, as `ps` asks for it.
 *
 * - `starting`: a call starts it, and its ready checks do not all hold yet
 * - `ready`: it runs, and every ready check holds
 * - `unready`: it runs, and a ready check does not hold
 * - `completed`: it has ended as its `exit` check demands
 * - `exited`: it has ended in another way, or was stopped
 * - `paused`: its processes are frozen
 */
export type ServerState = 'starting' | 'ready' | 'unready' | 'completed' | 'exited' | 'paused'

/** What the core tells while it works. Renderers listen; the core prints nothing. */
export type FleetEvent =
  | { readonly kind: 'planned'; readonly plan: Plan }
  | ({ readonly reference: string; readonly servers: readonly string[] } & (
      | { readonly kind: 'pulling'; readonly status: string }
      | { readonly kind: 'building'; readonly step: BuildStep | undefined }
      | { readonly kind: 'buildOutput'; readonly line: string }
      | { readonly kind: 'built'; readonly elapsedMs: number }
    ))
  | { readonly kind: 'starting'; readonly server: string }
  | { readonly kind: 'waiting'; readonly server: string; readonly check: string; readonly answer: string | undefined }
  | { readonly kind: 'holds'; readonly server: string; readonly check: string }
  | {
      readonly kind: 'ready'
      readonly server: string
      readonly elapsedMs: number
      readonly isKept: boolean
      readonly isCompleted: boolean
    }
  /** A command of `preStart`, `postStart` or `preStop` begins. `number` counts from 1. */
  | {
      readonly kind: 'hook'
      readonly server: string
      readonly hook: HookKind
      readonly number: number
      readonly total: number
      readonly command: string
    }
  | { readonly kind: 'hookOutput'; readonly server: string; readonly hook: HookKind; readonly line: string }
  /** A server that is set aside is stopped, and `replaced` once the new one is ready. */
  | { readonly kind: 'stopping' | 'stopped' | 'replaced'; readonly server: string }
  | { readonly kind: 'paused' | 'resumed'; readonly server: string }
  | { readonly kind: 'killed'; readonly server: string; readonly signal: string }
  | { readonly kind: 'removing' | 'removed'; readonly server: string }
  | { readonly kind: 'failed'; readonly servers: readonly string[]; readonly message: string }
  | { readonly kind: 'skipped'; readonly server: string; readonly because: string }
  | { readonly kind: 'rollingBack'; readonly servers: readonly string[] }
  | { readonly kind: 'kept'; readonly session: string }
  | { readonly kind: 'bundled'; readonly folder: string; readonly archive: string | undefined }
  /** Another call works on the session; this one waits for it. */
  | { readonly kind: 'queued'; readonly session: string; readonly behind: string }
  /** What a session, or a call, had left behind that died has been cleaned up. */
  | {
      readonly kind: 'swept'
      readonly session: string
      readonly servers: readonly string[]
      readonly back: readonly string[]
    }
  | { readonly kind: 'warned'; readonly message: string }

export interface BuildStep {
  readonly number: number
  readonly total: number
  readonly text: string
  readonly isCached: boolean
}

/** Receives events as they happen. */
export type OnEvent = (event: FleetEvent) => void
