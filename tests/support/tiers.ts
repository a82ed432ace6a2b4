/**
 * Of a test that says again, in another way, what one beside it says. `npm test` leaves it out, so that it stays under
 * a quarter of an hour; `npm run test:all` does not.
 */
export const wide = { tags: ['wide'] }
