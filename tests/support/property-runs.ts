/**
 * Returns how often to try a property: `TESTFLEET_PROPERTY_RUNS` if that is set, `whole` in the whole suite
 * (`npm run test:all`), and a third of it otherwise. Without a fixed seed, each run tries other values.
 */
export function propertyRuns(whole: number): number {
  const given = process.env.TESTFLEET_PROPERTY_RUNS
  if (given !== undefined) return Number(given)
  return process.env.TESTFLEET_TEST_ALL === undefined ? Math.ceil(whole / 3) : whole
}

/** Returns the whole list in the whole suite (`npm run test:all`), and otherwise one of its thirds, chosen at random. */
export function someOf<T>(all: readonly T[]): readonly T[] {
  if (process.env.TESTFLEET_TEST_ALL !== undefined) return all
  const first = Math.floor(Math.random() * 3)
  return all.filter((_, index) => index % 3 === first)
}
