import { isFailure } from '../model/failures.ts'

/** Whether somebody ended the call; one that took too long has failed, and wants to be looked at. */
export function wasCancelled({ aborted, reason }: AbortSignal): boolean {
  return aborted && !isFailure(reason, 'TIMED_OUT')
}
