import { type FailureDetails, TestfleetError } from '../model/failures.ts'

/** A failed build and its failed step. Code `BUILD_FAILED`. */
export class BuildFailure extends TestfleetError {
  /** Counted as `BuildProgress.step`; undefined when no step failed. */
  readonly step: number | undefined
  /** The instruction in the engine's words. */
  readonly instruction: string

  constructor(message: string, step: number | undefined, instruction: string, details: FailureDetails) {
    super('BUILD_FAILED', message, details)
    this.step = step
    this.instruction = instruction
  }
}
