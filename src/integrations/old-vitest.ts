import { misuse } from './explain-failure.ts'

/**
 * Fails with USAGE when `test` is that of a Vitest before 4.1, whose `extend` takes no names: each fixture would be undefined.
 * The package can be installed next to any Vitest, because its command works with all of them.
 */
export function refuseOldVitest(test: object): void {
  // It came in the version that takes names.
  if ('override' in test) return
  throw misuse('`fleetTest` needs Vitest 4.1 or newer', 'Update Vitest, or start the fleet in a global setup.')
}
