import type { SessionOptions } from './options.ts'

/** Options of `down` of a client. */
export interface DownOptions extends SessionOptions {
  /** Removes the session also while other processes hold it. Default: false. */
  readonly force?: boolean | undefined
}

/** What `down` of a client removed. */
export interface RemovedSession {
  /** Name of the session. */
  readonly session: string
  /** Names of the servers; empty when there was no session. */
  readonly servers: readonly string[]
  /** Number of networks. */
  readonly networks: number
  /** Number of volumes that the fleet file names. Volumes that belong to a container are not counted. */
  readonly volumes: number
  /** Names of the standby copies of the fleet that were ready; they are removed with its default session. */
  readonly standby?: readonly string[]
}
