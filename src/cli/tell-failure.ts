import type { TestfleetError } from '../model/failures.ts'
import { toJsonText } from './answer.ts'
import { foldSummary } from './fold-summary.ts'
import { formatFailure, toJsonFailure } from './format-failure.ts'
import type { Output } from './output.ts'

export interface Manner {
  readonly isJson: boolean
  readonly isQuiet: boolean
  readonly isUnread: boolean
}

export function tellFailure(failure: TestfleetError, output: Output, { isJson, isQuiet, isUnread }: Manner): void {
  if (isJson) output.writeData(`${toJsonText(toJsonFailure(failure), 2)}\n`)
  // Objects that a person has to remove are reported even though nobody reads the output.
  if (isUnread && failure.leftovers === undefined) return
  output.tell(formatFailure(failure, output.palette))
  if (failure.summary !== undefined && !isQuiet) output.tell(foldSummary(failure.summary, process.env) ?? '')
}
