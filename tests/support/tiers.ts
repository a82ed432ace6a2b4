/**
 * Tag of a test that repeats, in another form, what another test says. `npm test` leaves it out to take less time;
 * `npm run test:all` runs it.
 */
export const wide = { tags: ['wide'] }

/** The tag for some rows of a table of tests. */
export function wideIf(isWide: boolean): { readonly tags?: string[] } {
  return isWide ? wide : {}
}
