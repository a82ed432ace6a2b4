const FIRST_S = Date.UTC(1980, 0, 1) / 1000
const RANGE_S = 2 ** 30

/**
 * Returns the modification time of a file in an image, in seconds since 1970: between 1980 and 2014, derived from the
 * SHA-256 of its content. Web servers detect changes by time and size, and the time in a checkout is arbitrary.
 */
export function contentTimeS(digest: string): number {
  return FIRST_S + (Number.parseInt(digest.slice(0, 8), 16) % RANGE_S)
}
