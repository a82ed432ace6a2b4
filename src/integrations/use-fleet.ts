import type {
  Exports,
  FleetFile,
  FleetSource,
  LeasedServer,
  RunningFleet,
  RunningServer,
  ServerNames,
} from '../index.ts'
import { explain, explainFailure, misuse } from './explain-failure.ts'
import type { TestfleetError } from './library.ts'
import { type FleetTestOptions, type OpenFleet, openFleet, type Per, type Place } from './open-fleet.ts'
import type { ServerStory } from './show-failure.ts'
import { type Lease, TestScope } from './test-scope.ts'

/** The hooks of a test runner. */
export type Hooks = Readonly<
  Record<'beforeAll' | 'beforeEach' | 'afterEach' | 'afterAll', (work: () => Promise<void>) => void>
>

/** A server as a test sees it; with `per: 'test'`, its lease. */
export type ServerInTest<F extends FleetFile, P extends Per, N extends ServerNames<F>> = P extends 'test'
  ? LeasedServer<F, N>
  : RunningServer<F, N>

/** Where the tests of a file get their fleet from. */
export interface FleetOfTests<F extends FleetFile = FleetFile> {
  readonly source: FleetSource<F> | undefined
  readonly options: FleetTestOptions<F>
  findPlace(): Promise<Place>
}

/** The fleet of the tests in a file. Tests and hooks can use it. */
export class UsedFleet<F extends FleetFile = FleetFile, P extends Per = Per> {
  readonly #per: Per | undefined
  #open: OpenFleet<F> | undefined
  #test = new TestScope<F>()
  #leased: ReadonlyMap<string, LeasedServer<F>> = new Map()

  /** @internal */
  constructor(hooks: Hooks, { source, options, findPlace }: FleetOfTests<F>) {
    this.#per = options.per
    hooks.beforeAll(async () => {
      this.#open = await openFleet(source, options, await findPlace())
    })
    hooks.beforeEach(async () => {
      this.#test = new TestScope()
      if (this.#open !== undefined) this.#test.use(this.#open)
      if (options.per === 'test') await this.#leaseAll(options.servers)
    })
    hooks.afterEach(async () => {
      this.#leased = new Map()
      await this.#test.end()
    })
    hooks.afterAll(async () => {
      const open = this.#open
      this.#open = undefined
      // All other fleets are kept for the next file of this process.
      if (options.per === 'file') await open?.close()
    })
  }

  /**
   * The fleet.
   *
   * @throws {TestfleetError} USAGE before the first test and after the last one
   */
  get running(): RunningFleet<F> {
    if (this.#open !== undefined) return this.#open.fleet
    const hint = 'Use the fleet in a test or in a hook.'
    throw misuse('the fleet runs only during the tests', hint)
  }

  /**
   * Returns the server of that name; with `per: 'test'`, the one that this test has leased.
   *
   * @throws {TestfleetError} UNKNOWN_SERVER when the fleet has no such server; USAGE when `per` is `test` and no test has leased it
   * @example
   * const { host, port } = fleet.server('db').endpoint(5432)
   */
  server<const N extends ServerNames<F>>(name: N): ServerInTest<F, P, N> {
    try {
      const server = this.#leased.get(name) ?? this.running.server(name)
      if (this.#per === 'test' && !this.#leased.has(name)) throw notLeased(`\`${name}\` is not leased`)
      return server as ServerInTest<F, P, N>
    } catch (error) {
      throw explain(error)
    }
  }

  /** What the servers export; with `per: 'test'`, the values of the servers that this test has leased. */
  get exports(): Exports<F> {
    return this.#withLeases(this.running.exports, (leased) => leased.exports)
  }

  /** Variables for programs that use the servers; with `per: 'test'`, those that this test has leased. */
  get environment(): Readonly<Record<string, string>> {
    return this.#withLeases(this.running.environment, (leased) => leased.environment)
  }

  /**
   * Leases a pristine server for the rest of the test.
   *
   * @throws {TestfleetError} USAGE outside of a test, UNKNOWN_SERVER, TIMED_OUT when all are lent, LENDER_LOST, and the codes of a start
   * @example
   * const db = await fleet.lease('db')
   */
  readonly lease: Lease<F> = (server, options) => explainFailure(() => this.#test.lease(server, options))

  /**
   * Returns what the servers did since the test began.
   *
   * @internal
   */
  describe(): Promise<readonly ServerStory[]> {
    return this.#test.describe()
  }

  async #leaseAll(servers: readonly ServerNames<F>[] = this.running.servers.map(({ name }) => name)): Promise<void> {
    const leased = await Promise.all(servers.map((name) => this.lease(name)))
    this.#leased = new Map(leased.map((one) => [one.name, one as unknown as LeasedServer<F>]))
  }

  #withLeases<Values extends object>(values: Values, read: (leased: LeasedServer<F>) => object): Values {
    if (this.#per === 'test' && this.#leased.size === 0) throw explain(notLeased('no server is leased'))
    return Object.assign({}, values, ...[...this.#leased.values()].map(read))
  }
}

/** With the shared server in place of a lease, tests would disturb each other. */
function notLeased(message: string): TestfleetError {
  return misuse(
    message,
    'With `per: test`, use it in a test, and name it in `servers`. Tests of `test.concurrent` have no leases.',
  )
}
