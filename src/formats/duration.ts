import { DURATION } from '../model/grammar.ts'

const factorMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** `500ms`, `2m` or a number of seconds, in milliseconds; undefined for any other text. */
export function readDurationMs(text: string): number | undefined {
  const match = DURATION.exec(text)
  if (match === null) return undefined
  const [, number = '0', unit = 's'] = match
  return Math.round(Number(number) * (factorMs[unit] ?? 1))
}
