/** Matches `500ms`, `30s`, `2m`, `1h`, `1.5h`, or a bare number of seconds. */
export const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Returns a duration such as `500ms` or `2m`, or a number of seconds, in milliseconds; undefined for anything else. */
export function readDurationMs(duration: string | number | undefined): number | undefined {
  if (typeof duration === 'number') return Math.round(duration * 1000)
  const [, number, unit = 's'] = DURATION.exec(duration ?? '') ?? []
  return number === undefined ? undefined : Math.round(Number(number) * (unitsMs[unit] ?? 1))
}

/** Words a duration for a person: `0.4 s`, `12 s`, `1 min 5 s`, `2 h 5 min`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 9950) return `${(durationMs / 1000).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}
