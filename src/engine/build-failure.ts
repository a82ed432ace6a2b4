import { type FailureDetails, TestfleetError } from '../model/failures.ts'

/** A build that failed, with the step that did. Code `BUILD_FAILED`. */
export class BuildFailure extends TestfleetError {
  /** Counts as `BuildProgress.step`; undefined when the failure is of no step. */
  readonly step: number | undefined
  /** The instruction, as the engine words it. */
  readonly instruction: string

  constructor(message: string, step: number | undefined, instruction: string, details: FailureDetails) {
    super('BUILD_FAILED', message, details)
    this.step = step
    this.instruction = instruction
  }
}
