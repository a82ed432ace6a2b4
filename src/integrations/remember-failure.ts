import { repeatFailure } from './explain-failure.ts'

/** Failures of fleets that could not start, by fleet. */
export type FailedStarts = Map<string, unknown>

/**
 * Opens a fleet, unless that has failed before: then fails at once with the same words, because each try can take as long as
 * `readyTimeout`, and many tests may need the fleet.
 */
export async function openUnlessFailed<Open>(
  failed: FailedStarts,
  fleet: string,
  open: () => Promise<Open>,
): Promise<Open> {
  if (failed.has(fleet)) throw repeatFailure(failed.get(fleet))
  try {
    return await open()
  } catch (error) {
    failed.set(fleet, error)
    throw error
  }
}
