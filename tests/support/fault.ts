/** Whether all is tried, and not only what a change has time for. */
export const isLong = process.env.TESTFLEET_FAULT === 'long'

/** The same numbers for the same TESTFLEET_SEED, which is printed, so that a failure can be repeated (mulberry32). */
export function makeRandom(): () => number {
  const seed = Number(process.env.TESTFLEET_SEED) || Date.now() % 2 ** 31
  process.stdout.write(`TESTFLEET_SEED=${seed}\n`)
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What a test of faults has counted, for a person and for docs/reliability.md. */
export function report(name: string, counts: Readonly<Record<string, number>>): void {
  const text = Object.entries(counts).map(([what, count]) => `${what} ${count}`)
  process.stdout.write(`fault ${name}: ${text.join(' · ')}\n`)
}
