/** Words a duration for a person: `12 ms`, `0.4 s`, `12 s`, `1 min 5 s`. */
export function formatMs(durationMs: number): string {
  if (durationMs < 99.5) return `${Math.round(durationMs)} ms`
  if (durationMs < 995) return `${Math.round(durationMs / 10) * 10} ms`
  if (durationMs < 9950) return `${(durationMs / 1000).toFixed(1)} s`
  const seconds = Math.round(durationMs / 1000)
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}
