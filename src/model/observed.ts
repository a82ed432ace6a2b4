import type { ServerSpec } from './session.ts'

/** The current state of a session. */
export interface Observed {
  readonly hasNetwork: boolean
  /** Whether servers can be created while the network is. */
  readonly createsBeforeNetwork: boolean
  readonly volumes: readonly string[]
  readonly servers: ReadonlyMap<string, ObservedServer>
}

export interface ObservedServer {
  readonly name: string
  readonly container: string
  /** Name of the container's image; an id once the name is another image's. */
  readonly image: string
  readonly digest: string
  readonly state: 'running' | 'paused' | 'exited' | 'completed'
  /** Whether a call has stopped it on purpose: then its own container is started again. */
  readonly isStopped: boolean
  /** Whether it runs and is given a signal and time, or runs `preStop` commands, when it is stopped. */
  readonly isGraceful?: boolean | undefined
  /** What the session's record says about it. */
  readonly spec: ServerSpec
  /** External secrets whose values differ from those that it was given. */
  readonly changedSecrets: readonly string[]
  /** Whether the addresses or exports that a process was given are others now. */
  readonly hasOldVariables?: boolean | undefined
}
