const readClock = Date.now.bind(Date)

/** Returns the time, also while a test has replaced the clock. */
export function now(): Date {
  return new Date(readClock())
}
