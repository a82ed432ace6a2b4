import type { Position } from './fleet.ts'

/**
 * Everything that can go wrong and that a person can act on. A bug is none of these: it stays a plain Error.
 * The exit codes are the contract of the command.
 */
export const failureCodes = {
  USAGE: 2,
  FLEET_FILE_NOT_FOUND: 2,
  FLEET_FILE_NOT_TRUSTED: 2,
  FLEET_FILE_INVALID: 2,
  UNKNOWN_SERVER: 2,
  UNKNOWN_SNAPSHOT: 2,
  NO_ENGINE: 3,
  ENGINE_FORBIDDEN: 3,
  ENGINE_NOT_DOCKER: 3,
  ENGINE_TOO_OLD: 3,
  ENGINE_CONFIGURATION: 3,
  ENGINE_INSECURE: 3,
  ENGINE_TIMEOUT: 3,
  ENGINE_LOST: 1,
  ENGINE_REFUSED: 1,
  NOT_FOUND: 1,
  IMAGE_NOT_FOUND: 1,
  NO_PACKAGE_DATABASE: 1,
  PULL_FAILED: 1,
  BUILD_FAILED: 1,
  CONTEXT_CHANGED: 1,
  COMMAND_NOT_FOUND: 1,
  COPY_FAILED: 1,
  ARCHIVE_UNUSABLE: 1,
  OUTPUT_TOO_LONG: 1,
  PORT_TAKEN: 1,
  NAME_TAKEN: 1,
  SESSION_BUSY: 1,
  START_FAILED: 1,
  HOOK_FAILED: 1,
  RESET_FAILED: 1,
  DATABASE_FAILED: 1,
  SERVER_DIED: 1,
  NOT_RUNNING: 1,
  NO_SESSION: 1,
  SECRET_MISSING: 1,
  SECRET_UNUSABLE: 1,
  STATE_FOLDER_UNUSABLE: 1,
  NAMES_UNAVAILABLE: 1,
  PORT_UNREACHABLE: 1,
  LENDER_LOST: 1,
  CLEANUP_FAILED: 1,
  READY_TIMEOUT: 4,
  LOGIN_REFUSED: 4,
  TIMED_OUT: 4,
  CANCELLED: 130,
} as const

/** Code of a failure, such as `READY_TIMEOUT`. docs/failures.md explains each of them. */
export type FailureCode = keyof typeof failureCodes

/** What is known of a failure besides its code and message. */
export interface FailureDetails {
  readonly hint?: string | undefined
  readonly server?: string | undefined
  /** Where in the fleet file the failed thing was declared. */
  readonly at?: Position | undefined
  /** Lines to show below the message, such as a build's output or the end of a log. */
  readonly output?: readonly string[] | undefined
  readonly cause?: unknown
  /** Of a fleet file: all of them, in the order of the file. */
  readonly mistakes?: readonly Mistake[] | undefined
}

/**
 * A failure that a person can act on. Any other error is a bug.
 *
 * @example
 * try {
 *   await startFleet('./testfleet.yaml')
 * } catch (error) {
 *   if (error instanceof TestfleetError && error.code === 'READY_TIMEOUT') console.error(error.server, error.bundle)
 *   throw error
 * }
 */
export class TestfleetError extends Error {
  override readonly name = 'TestfleetError'
  /** Code of the failure, such as `READY_TIMEOUT`. */
  readonly code: FailureCode
  /** What to do about it. */
  hint: string | undefined
  /** Server that failed. */
  readonly server: string | undefined
  /** Place in the fleet file where the failed thing is declared. */
  readonly at: Position | undefined
  /** Last lines of what failed: the output of a build, or the log of a server. */
  output: readonly string[]
  /** All mistakes of a fleet file, in its order; empty for every other code than `FLEET_FILE_INVALID`. */
  readonly mistakes: readonly Mistake[]
  /** Folder of the failure bundle, if one was written. Read its `summary.txt` first. */
  bundle: string | undefined
  /** The same folder as one file, if one was requested and written. */
  archive: string | undefined
  /** Why there is no bundle, or what is missing from it. */
  bundleProblem: string | undefined
  /** Text of the bundle's `summary.txt`. */
  summary: string | undefined
  /** What could not be cleaned up after the failure, in words. */
  leftovers: string | undefined

  constructor(code: FailureCode, message: string, details: FailureDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.hint = details.hint
    this.server = details.server
    this.at = details.at
    this.output = details.output ?? []
    this.mistakes = details.mistakes ?? []
  }

  /** Exit code of the command `testfleet` for this failure. */
  get exitCode(): number {
    return failureCodes[this.code]
  }
}

/** A mistake in a fleet file. */
export interface Mistake {
  /** Place in the fleet file. */
  readonly at: Position
  /** Field, such as `servers.web.ports[0]`; empty for the file as a whole. */
  readonly field: string
  /** What is wrong with it. */
  readonly message: string
}

/** The failure of a fleet file with these mistakes. Code `FLEET_FILE_INVALID`. */
export function fleetFileInvalid(mistakes: readonly Mistake[]): TestfleetError {
  const message = mistakes.map(formatMistake).join('\n')
  return new TestfleetError('FLEET_FILE_INVALID', message, { at: mistakes[0]?.at, mistakes })
}

/** A failed build and its failed step. Code `BUILD_FAILED`. */
export class BuildFailure extends TestfleetError {
  /** Counted as in `BuildProgress.step`; undefined when no step failed. */
  readonly step: number | undefined
  /** The instruction as the engine reports it. */
  readonly instruction: string

  constructor(message: string, step: number | undefined, instruction: string, details: FailureDetails) {
    super('BUILD_FAILED', message, details)
    this.step = step
    this.instruction = instruction
  }
}

export function formatPosition(position: Position): string {
  if (position.line === undefined) return position.file
  return `${position.file}:${position.line}:${position.column ?? 1}`
}

function formatMistake(mistake: Mistake): string {
  return `${formatPosition(mistake.at)}: ${mistake.field === '' ? '' : `${mistake.field}: `}${mistake.message}`
}

/** Returns whether an error is a failure of this catalogue and, if a code is given, has that code. */
export function isFailure(error: unknown, code?: FailureCode): error is TestfleetError {
  return error instanceof TestfleetError && (code === undefined || error.code === code)
}
