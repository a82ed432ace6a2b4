import { TestfleetError } from '../model/failures.ts'

/** Number of images kept for each server after a build: enough for a few branches and checkouts in turn. */
const DEFAULT_KEPT = 5

/**
 * Returns how many images of each server are kept after a build: TESTFLEET_KEEP_IMAGES, or 5. Undefined to keep all. Fails
 * with USAGE.
 */
export function readKeptImages(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = environment.TESTFLEET_KEEP_IMAGES
  if (text === undefined || text === '') return DEFAULT_KEPT
  if (text === 'all') return undefined
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new TestfleetError('USAGE', `TESTFLEET_KEEP_IMAGES is a number from 1 on, or all; not ${JSON.stringify(text)}`)
}
