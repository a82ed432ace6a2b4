import type { SessionOptions } from './options.ts'

export interface DownOptions extends SessionOptions {
  /** Also while other processes hold the session. */
  readonly force?: boolean | undefined
}

/** What was removed. */
export interface RemovedSession {
  readonly session: string
  readonly servers: readonly string[]
  readonly networks: number
  /** Volumes of the fleet file; those that belong to one container are not counted. */
  readonly volumes: number
}
