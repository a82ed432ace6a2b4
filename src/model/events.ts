import type { HookKind } from './hook.ts'
import type { Operation, Plan } from './plan.ts'

/**
 * State of a server, as `ps` asks for it.
 *
 * - `starting`: a call starts it, and its ready checks have not all passed yet
 * - `ready`: it runs, and every ready check passes
 * - `unready`: it runs, and a ready check does not pass
 * - `completed`: it has ended as its `exit` check demands
 * - `exited`: it has ended in another way, was stopped, or waits to be restarted
 * - `paused`: its processes are frozen
 */
export type ServerState = 'starting' | 'ready' | 'unready' | 'completed' | 'exited' | 'paused'

/**
 * What the core reports while it works; the core prints nothing. Internal: src/api/map-event.ts makes the public events of
 * these. `session` names the session that an event concerns, where that is not the one of the call.
 */
export type FleetEvent = { readonly session?: string } & (
  | SessionEvent
  | ProgressEvent
  | ImageEvent
  | ServerEvent
  | { readonly kind: 'planned'; readonly plan: Plan }
  | { readonly kind: 'networkCreated' | 'networkRemoved'; readonly network: string }
  | { readonly kind: 'volumeCreated' | 'volumeRemoved'; readonly volume: string }
  | { readonly kind: 'bundled'; readonly folder: string; readonly archive: string | undefined }
  | { readonly kind: 'warned'; readonly message: string }
  /** What a call that takes long is doing. */
  | { readonly kind: 'noted'; readonly message: string }
)

export type SessionEvent =
  /** The session of the call is known from now on. */
  | { readonly kind: 'sessionChosen'; readonly session: string }
  /** The call waits for another one that changes the session. */
  | { readonly kind: 'queued'; readonly session: string; readonly behind: string }
  | { readonly kind: 'rollingBack'; readonly servers: readonly string[] }
  | { readonly kind: 'kept'; readonly session: string; readonly servers: readonly string[] }
  /** What a dead session or call had left was cleaned up. */
  | {
      readonly kind: 'swept'
      readonly session: string
      readonly servers: readonly string[]
      readonly back: readonly string[]
    }

/** What a call is doing. Not public: the timeline and the failure bundle are made from it. */
export type ProgressEvent =
  /** The call is in this phase until the next one begins. It starts in `load`. */
  | { readonly kind: 'phaseBegan'; readonly phase: Phase }
  | { readonly kind: 'operationBegan'; readonly operation: Operation }
  | { readonly kind: 'operationEnded'; readonly operation: Operation; readonly hasFailed: boolean }
  /** The steps of a build are done. Its packages are recorded in the labels of the image. */
  | { readonly kind: 'recordingPackages'; readonly reference: string; readonly servers: readonly string[] }

/**
 * - `load`: reads the fleet file and finds the engine
 * - `sweep`: cleans up after dead calls
 * - `plan`: reads what goes into images, asks the engine what it has, and prepares secrets and certificates
 * - `begin`: begins the change of the session
 * - `carryOut`: carries out the operations of the plan
 * - `finish`: ends the change
 * - `bundle`, `undo`: after a failure
 * - `names`, `command`, `leave`: of a command that runs in the session
 */
export type Phase =
  | 'load'
  | 'sweep'
  | 'plan'
  | 'begin'
  | 'carryOut'
  | 'finish'
  | 'bundle'
  | 'undo'
  | 'names'
  | 'command'
  | 'leave'

export type ImageEvent =
  | ({ readonly reference: string; readonly servers: readonly string[] } & (
      | { readonly kind: 'pulling'; readonly status: string }
      | { readonly kind: 'building'; readonly step: BuildStep | undefined }
      | { readonly kind: 'buildOutput'; readonly line: string }
      | { readonly kind: 'baking'; readonly status: string | undefined }
      | { readonly kind: 'pulled' | 'built' | 'baked'; readonly elapsedMs: number }
    ))
  | { readonly kind: 'imageRemoved'; readonly reference: string }

export type ServerEvent =
  /** A server that is set aside is stopped, and `replaced` once the new one is ready. */
  | {
      readonly kind: 'starting' | 'started' | 'stopping' | 'stopped' | 'removing' | 'removed' | 'replaced'
      readonly server: string
    }
  | { readonly kind: 'paused' | 'resumed'; readonly server: string }
  | { readonly kind: 'killed'; readonly server: string; readonly signal: string }
  | { readonly kind: 'created'; readonly server: string; readonly container: string }
  /** `tookMs` is how long the try took; undefined before the first one, and for news of one that goes on. */
  | {
      readonly kind: 'waiting'
      readonly server: string
      readonly check: string
      readonly answer: string | undefined
      readonly tookMs?: number
    }
  | { readonly kind: 'holds'; readonly server: string; readonly check: string; readonly tookMs?: number }
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
  | { readonly kind: 'failed'; readonly servers: readonly string[]; readonly message: string }
  | { readonly kind: 'skipped'; readonly server: string; readonly because: string }

export interface BuildStep {
  readonly number: number
  readonly total: number
  readonly text: string
  readonly isCached: boolean
}

/** Receives events as they happen. */
export type OnEvent = (event: FleetEvent) => void
