import { SIZE } from '../model/grammar.ts'

const factor: Record<string, number> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** `256m` or a number of bytes, in bytes; undefined for any other text, for none at all, and for more than a number holds exactly. */
export function readSizeBytes(size: string | number): number | undefined {
  const match = SIZE.exec(String(size))
  if (match === null) return undefined
  const [, number = '0', unit = 'b'] = match
  const bytes = Math.round(Number(number) * (factor[unit.toLowerCase()] ?? 1))
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined
}
