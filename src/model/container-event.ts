import type { Labels } from './labels.ts'

/** Something that happened to a container, whatever caused it. */
export type ContainerEvent = ContainerChange & {
  readonly container: string
  /** Name that the container had. */
  readonly name: string
  /** Labels of the container. Some engines add names of their own. */
  readonly labels: Labels
  /** When it happened, in milliseconds since 1970 by the engine's clock; with a fraction. */
  readonly atMs: number
}

export type ContainerChange =
  | { readonly kind: 'created' | 'started' | 'paused' | 'resumed' | 'removed' }
  | { readonly kind: 'exited'; readonly exitCode: number }
  /** The kernel has killed a process of it, because its memory was used up. Not reported by Podman. */
  | { readonly kind: 'outOfMemory' }
  /** `signal` is its name, or its number if it has no name; undefined where the engine does not report it, as Podman. */
  | { readonly kind: 'signalled'; readonly signal: string | undefined }
  /** The health check of its image has passed or failed for the first time since the other one. */
  | { readonly kind: 'healthy' | 'unhealthy' }

/** Range of time to follow, in milliseconds since 1970 by the engine's clock. */
export interface FollowRange {
  /** Begins with the past since then. Default: only what happens from now on. */
  readonly sinceMs?: number | undefined
  /** Ends then. Default: only the signal ends it. */
  readonly untilMs?: number | undefined
}
