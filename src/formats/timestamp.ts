/** A day, or a second, of UTC. */
export const TIMESTAMP = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}Z)?$/

/** The last second that every archive can hold, in the year 2242. */
const LAST_S = 0o77777777777

/** Seconds since 1970 of a number or of a text such as `2024-02-29`; undefined when there is no such time. */
export function readTimestampS(value: string | number): number | undefined {
  if (typeof value === 'string') {
    const ms = TIMESTAMP.test(value) ? Date.parse(value) : Number.NaN
    // Some days that are in no calendar are read as others.
    if (Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(value.replace('Z', ''))) return undefined
    return readTimestampS(ms / 1000)
  }
  return Number.isInteger(value) && value >= 0 && value <= LAST_S ? value : undefined
}
