import type { ContainerState, ProgramNames, PublishedPort } from '../../model/container.ts'
import type { FailureCode } from '../../model/failures.ts'
import type { ServerCard } from './server-folder.ts'

/** Exit code of a program that was killed. */
export const KILLED = 137

/** First line that a supervisor reads from standard input. It answers with one line once it can be asked. */
export interface SupervisorOrder {
  /** Folder of its server. */
  readonly folder: string
  readonly card: ServerCard
  readonly program: ProgramSpec
  /** File of the events of its session. */
  readonly eventsFile: string
}

/** A program to run. */
export interface ProgramSpec {
  readonly command: readonly string[]
  readonly folder: string
  /** All of its variables. */
  readonly environment: Readonly<Record<string, string>>
  /** The servers that it reaches by their names. */
  readonly names?: ProgramNames | undefined
  /** Ports that have to be free before it starts. */
  readonly ports: readonly PublishedPort[]
  /** How many times it is started again when it ends with an error. */
  readonly restarts: number
  readonly stopSignal: NodeJS.Signals
  readonly stopGraceMs: number
}

/** A request to a supervisor: one JSON object on a connection of its own. */
export type SupervisorRequest =
  | { readonly do: 'state' | 'describe' | 'start' | 'pause' | 'resume' | 'wait' }
  /** Fails with PORT_TAKEN when another program listens at one of its ports. */
  | { readonly do: 'confirmPorts' }
  | { readonly do: 'kill'; readonly signal: string }
  | { readonly do: 'stop'; readonly graceMs: number }
  /** Answers with a line each time that something was printed, until the program has ended. */
  | { readonly do: 'watch' }
  /** Kills the program, removes the server's folder, and ends the supervisor. */
  | { readonly do: 'remove' }

export type SupervisorAnswer =
  | { readonly ok: ServerState }
  | { readonly failed: { readonly code: FailureCode; readonly message: string; readonly hint?: string | undefined } }

/** What changes of a server. */
export interface ServerState {
  readonly state: ContainerState
  readonly processId?: number | undefined
  readonly exitCode?: number | undefined
  readonly restarts: number
  readonly isRestarting: boolean
  readonly startedAtMs: number
  readonly endedAtMs: number
  /** Only as an answer to `stop`: whether it was killed at the end of its grace period. */
  readonly wasKilled?: boolean | undefined
  /** Only as an answer to `describe`. */
  readonly program?: ProgramSpec | undefined
}
