import type { FleetFile, LeasedServer, LeaseOptions, ServerNames } from '../index.ts'
import { now } from './clock.ts'
import { explainFailure, misuse } from './explain-failure.ts'
import type { TestfleetError } from './library.ts'
import type { OpenFleet } from './open-fleet.ts'
import { describeServers, type FailedTest, type ServerStory } from './show-failure.ts'

/** Leases a pristine server for the rest of the test. */
export type Lease<F extends FleetFile = FleetFile> = <const N extends ServerNames<F>>(
  server: N,
  options?: LeaseOptions,
) => Promise<LeasedServer<F, N>>

/** The time of one test: it collects the leases of the test, and says what servers did meanwhile. */
export class TestScope<F extends FleetFile = FleetFile> {
  readonly #since = now()
  readonly #leases: { readonly lease: LeasedServer<F>; readonly since: Date }[] = []
  #open: OpenFleet<F> | undefined
  #isOver = false

  get isOver(): boolean {
    return this.#isOver
  }

  /** Notes that the test uses this fleet. */
  use(open: OpenFleet<F>): void {
    this.#open = open
  }

  /** Leases a server until the end of the test. Fails with USAGE when that has come. */
  readonly lease: Lease<F> = async (server, options) => {
    const open = this.#open
    if (open === undefined || this.#isOver) throw outsideOfTest(server)
    const lease = await explainFailure(() => open.fleet.lease(server, options))
    if (!this.#isOver) this.#leases.push({ lease: lease as unknown as LeasedServer<F>, since: now() })
    else {
      await lease.release()
      throw outsideOfTest(server)
    }
    return lease
  }

  /** Returns what the servers did; nothing when the test does not use the fleet, or is over. Call it before `end`. */
  async describe(): Promise<readonly ServerStory[]> {
    if (this.#open === undefined || this.#isOver) return []
    return describeServers(this.#open, { since: this.#since, leases: this.#leases as unknown as FailedTest['leases'] })
  }

  /** Gives the leases back. */
  async end(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#leases.splice(0).map(({ lease }) => lease.release()))
  }
}

function outsideOfTest(server: string): TestfleetError {
  return misuse(
    `the lease of ${server} was asked for outside of a test`,
    'Call it while its test runs. For other times, call `lease` of the running fleet, and give the lease back yourself.',
  )
}
