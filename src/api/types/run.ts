import type { Cause } from '../../model/cause.ts'
import type { SessionReport } from '../../model/running.ts'
import type { CallOptions } from './options.ts'
import type { StartOptions } from './start.ts'

/** Options of a command on this machine that uses a fleet. */
export interface CommandOptions extends CallOptions {
  /**
   * How it gets the names of the servers. `namespace`: every program knows them, at their real ports. `proxy`: programs
   * that use the proxy of their environment, and Node. `auto`: the best way that there is. Default: `auto`.
   */
  readonly names?: 'auto' | 'namespace' | 'proxy' | 'none' | undefined
  /** Whether it gets the variables by which clients trust the certificates of the fleet. Default: true. */
  readonly trust?: boolean | undefined
  /** Variables of the command, in addition to those of the session; the same name takes the place of the session's. */
  readonly environment?: Readonly<Record<string, string>> | undefined
  /**
   * Folder that gets `<server>.log`, `events.jsonl` and `why.txt` when the command or the start fails: what the servers
   * logged in that time, what happened to them, and what was wrong. It is created then. Default: none.
   */
  readonly attachLogs?: string | undefined
  /** @internal */
  readonly caller?: CommandCaller | undefined
}

/** Options of `run` of a client: those of the start, and those of the command. */
export interface RunOptions extends StartOptions, CommandOptions {}

/** Result of a command on this machine. */
export interface RunResult {
  /** Exit code of the command; 128 plus the number of the signal when a signal ended it. */
  readonly exitCode: number
  /** A sentence for each server that ended while the command ran. */
  readonly ended: readonly string[]
  /** What the servers looked like after a command that failed; undefined after one that succeeded. */
  readonly bundle: RunBundle | undefined
  /** What was wrong with the servers, as `why` says it. Left out after a command that succeeded. */
  readonly causes?: readonly Cause[]
  /** What was written into the folder of `attachLogs`, after a command that failed. */
  readonly attached?: AttachedLogs | undefined
}

/** Logs that were written after a command that failed. */
export interface AttachedLogs {
  /** Absolute path of the folder. */
  readonly folder: string
  /** What could not be written, and why. */
  readonly problems: readonly string[]
  /** Last lines of the log of each server, by its name. */
  readonly logs: Readonly<Record<string, readonly string[]>>
}

/** A failure bundle. */
export interface RunBundle {
  /** Its folder; read `summary.txt` in it first. Undefined if none could be written. */
  readonly folder: string | undefined
  /** The same folder as one file, if one was requested and written. */
  readonly archive: string | undefined
  /** Why there is no bundle, or what is missing from it. */
  readonly problem: string | undefined
  /** Text of `summary.txt`. */
  readonly summary: string
}

/**
 * What the command `testfleet` adds: it is a program between its caller and the command that it runs.
 *
 * @internal
 */
export interface CommandCaller {
  /** Numbers of the descriptors that the command gets besides the standard streams. */
  readonly descriptors: readonly number[]
  readonly ignored: readonly NodeJS.Signals[]
  readonly forwarded: readonly NodeJS.Signals[]
  /** Where its output goes; undefined for the streams of this process. With them, it has no standard input. */
  readonly streams?: ProgramStreams | undefined
  readonly onStart: () => void
  readonly isBundleWanted: (ends: boolean) => boolean
  /** Called when the start or the command has failed, before the session is left. */
  readonly lookAround?: ((kept: KeptSession) => Promise<void>) | undefined
}

/**
 * Receives the output of a command.
 *
 * @internal
 */
export interface ProgramStreams {
  stdout(bytes: Buffer): void
  stderr(bytes: Buffer): void
  /** Called once nothing more comes. */
  end(): void
  /** Fires when nobody reads the output any more. The command is then ended. */
  readonly unread?: AbortSignal | undefined
}

/**
 * A session that is kept for a person to look around.
 *
 * @internal
 */
export interface KeptSession {
  readonly report: SessionReport
  /** Why the start failed; undefined when the command did. */
  readonly error: unknown
  /** What the command did; undefined when the start failed. */
  readonly result: RunResult | undefined
}
