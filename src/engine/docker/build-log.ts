import type { BuildProgress } from '../engine.ts'
import type { ProgressJson } from './json-lines.ts'

/** Follows what a builder says: tells of steps and output as they come, and knows in the end which step failed. */
export interface BuildLog {
  read(line: ProgressJson): void
  /** The step that failed; undefined when it was none. */
  failedStep(): FailedStep | undefined
}

export interface FailedStep {
  readonly step: number | undefined
  readonly total: number | undefined
  readonly instruction: string
  readonly output: readonly string[]
}

export type OnProgress = (progress: BuildProgress) => void
