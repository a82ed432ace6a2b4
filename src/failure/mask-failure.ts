import { isFailure } from '../model/failures.ts'
import type { Mask } from './mask.ts'

/** Masks all that a failure says: whoever prints it prints its stack and its causes too. */
export function maskFailure(error: unknown, mask: Mask, seen: Set<unknown> = new Set()): void {
  if (!(error instanceof Error) || seen.has(error)) return
  seen.add(error)
  // The stack first: it is made of the message when it is first asked for.
  if (error.stack !== undefined) error.stack = mask.text(error.stack)
  error.message = mask.text(error.message)
  if (isFailure(error)) {
    error.output = error.output.map(mask.text)
    if (error.hint !== undefined) error.hint = mask.text(error.hint)
  }
  if (typeof error.cause === 'string') error.cause = mask.text(error.cause)
  maskFailure(error.cause, mask, seen)
  if (error instanceof AggregateError) for (const one of error.errors) maskFailure(one, mask, seen)
}
