import { findNearest } from '../formats/nearest.ts'
import { CleanUpCalls } from './clean-up-calls.ts'

/**
 * A client: everything that the command can do. It keeps no state. Each call opens and closes its own connection to the
 * engine, so one client can serve a whole test suite.
 *
 * @example
 * const testfleet = new Testfleet({ onEvent: ({ kind }) => console.log(kind) })
 * await using fleet = await testfleet.start('./testfleet.yaml', { servers: ['db'] })
 */
export class Testfleet extends CleanUpCalls {
  /**
   * For the messages of test runners.
   *
   * @internal
   */
  static readonly findNearest = findNearest
}
