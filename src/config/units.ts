import { readDurationMs } from '../model/duration.ts'
import { SIZE } from '../model/grammar.ts'

const sizeFactor: Record<string, number> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** `256m` or a number of bytes, in bytes. The schema has checked it. */
export function parseSizeBytes(size: string | number): number {
  if (typeof size === 'number') return size
  const [, number = '0', unit = 'b'] = SIZE.exec(size) ?? []
  return Math.round(Number(number) * (sizeFactor[unit.toLowerCase()] ?? 1))
}

/** `500ms`, `2m` or a number of seconds, in milliseconds. The schema has checked it. */
export function parseDurationMs(duration: string | number): number {
  return readDurationMs(String(duration)) ?? 0
}
