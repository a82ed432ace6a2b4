import { TestfleetError } from '../model/failures.ts'

/** Of each server's images, this many stay after a build: enough for a few branches and checkouts that take turns. */
const DEFAULT_KEPT = 5

/**
 * Returns how many images of each server stay after a build: TESTFLEET_KEEP_IMAGES, or 5. Undefined when all stay. Fails
 * with USAGE.
 */
export function readKeptImages(environment: Readonly<Record<string, string | undefined>>): number | undefined {
  const text = environment.TESTFLEET_KEEP_IMAGES
  if (text === undefined || text === '') return DEFAULT_KEPT
  if (text === 'all') return undefined
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new TestfleetError('USAGE', `TESTFLEET_KEEP_IMAGES is a number from 1 on, or all; not ${JSON.stringify(text)}`)
}
