/** Matches a size as Docker writes it, in powers of 1024: `10`, `10b`, `512k`, `256m`, `1g`, `1.5gb`. */
export const SIZE = /^(\d+(?:\.\d+)?)\s?([bkmgt])?b?$/i

const unitsBytes: Readonly<Record<string, number>> = { b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 }

/** A whole number of the largest unit that has one: `256m`, `1g`, `1000b`. */
export function formatSize(bytes: number): string {
  const units = Object.entries(unitsBytes).reverse()
  const [unit, factor] = units.find(([, factor]) => bytes % factor === 0) ?? ['b', 1]
  return `${bytes / factor}${unit}`
}

/**
 * Returns a size such as `256m`, or a number of bytes, in bytes. Undefined for anything else, for less than one byte, and
 * for more than a number can hold exactly.
 */
export function readSizeBytes(size: string | number | undefined): number | undefined {
  const [, number, unit = 'b'] = SIZE.exec(String(size)) ?? []
  if (number === undefined) return undefined
  const bytes = Math.round(Number(number) * (unitsBytes[unit.toLowerCase()] ?? 1))
  return bytes >= 1 && Number.isSafeInteger(bytes) ? bytes : undefined
}
