/**
 * Returns how often to try a property: `TESTFLEET_PROPERTY_RUNS` if that is set, `whole` in the whole suite
 * (`npm run test:all`), and a third of it otherwise. Without a fixed seed, each run tries other values.
 */
export function propertyRuns(whole: number): number {
  const given = process.env.TESTFLEET_PROPERTY_RUNS
  if (given !== undefined) return Number(given)
  return process.env.TESTFLEET_TEST_ALL === undefined ? Math.ceil(whole / 3) : whole
}
