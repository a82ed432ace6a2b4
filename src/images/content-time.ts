const FIRST_S = Date.UTC(1980, 0, 1) / 1000
const RANGE_S = 2 ** 30

/**
 * The time that a file gets in an image, in seconds since 1970: from 1980 to the start of 2014, by the SHA-256 of its
 * content. A web server tells by time and size whether a file has changed, and the time in the checkout says nothing.
 */
export function contentTimeS(digest: string): number {
  return FIRST_S + (Number.parseInt(digest.slice(0, 8), 16) % RANGE_S)
}
