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

const RFC_3339 = /^(\d{4}-\d{2}-\d{2}T)([01]\d|2[0-3])(:[0-5]\d:[0-5]\d)(\.\d{1,9})?(Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i

/**
 * Milliseconds since 1970 of a moment as programs write it: `2024-02-29`, or a time of RFC 3339 with or without parts of a
 * second, in any zone. Undefined when there is no such time.
 */
export function readMomentMs(text: string): number | undefined {
  const day = readTimestampS(text.slice(0, 10))
  if (day === undefined || text.length === 10) return day === undefined ? undefined : day * 1000
  if (!RFC_3339.test(text)) return undefined
  const ms = Date.parse(text.toUpperCase())
  return Number.isNaN(ms) || ms < 0 ? undefined : ms
}
