import type { FleetFile, FleetSource, RunningFleet } from '../index.ts'
import { misuse } from './explain-failure.ts'
import { fixtureNames, refuseUnknown, unknownFixture, usedFixtures } from './fixtures.ts'
import { TestfleetError } from './library.ts'
import { claimVersion, type FleetTestOptions, type OpenFleet, ofProcess, openFleet, type Place } from './open-fleet.ts'
import { type FailedStarts, openUnlessFailed } from './remember-failure.ts'
import type { TestScope } from './test-scope.ts'

/**
 * The fleet of a test file, for runners that have no fixtures. The first test starts or joins it. If that fails, the others
 * fail at once, until the end of the suite.
 */
export class SuiteFleet {
  readonly #source: string | FleetFile | undefined
  readonly #options: FleetTestOptions
  readonly #place: Place
  readonly #names: readonly string[]
  readonly #failed: FailedStarts
  readonly #key: string
  #opening: Promise<OpenFleet> | undefined

  constructor(source: string | FleetFile | undefined, options: FleetTestOptions, place: Place) {
    claimVersion()
    this.#source = source
    this.#options = options
    this.#place = place
    this.#names = fixtureNames(source)
    this.#key = JSON.stringify([source, options, place])
    // Some runners call the tests of all files in one process.
    this.#failed = options.per === 'file' ? new Map() : ofProcess('failed', () => new Map())
  }

  async fleet(): Promise<RunningFleet> {
    return (await this.#open()).fleet
  }

  /** Returns what a test gets: the fleet, its servers, and `lease`. Fails with CANCELLED when the test has ended meanwhile. */
  async fixtures(test: (...args: never[]) => unknown, scope: TestScope): Promise<object> {
    const used = this.#options.per === 'test' ? this.#namesToLease(test) : this.#names
    const open = await this.#open()
    scope.use(open)
    const found = await Promise.all(
      used.map(async (name) => [
        name,
        this.#options.per === 'test' ? await scope.lease(name) : open.fleet.server(name),
      ]),
    )
    // A runner cannot stop a test whose time is up: its body must not run during the next test.
    if (scope.isOver) throw new TestfleetError('CANCELLED', 'the test ended before its servers were ready')
    const fixtures = { ...Object.fromEntries(found), fleet: open.fleet, lease: scope.lease }
    return refuseUnknown(fixtures, (name) => unknownFixture(name, this.#source, ['fleet', 'lease', ...this.#names]))
  }

  /** Leaves the fleet after the last test of the suite. */
  async end(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    // In watch mode, the next run tries again.
    this.#failed.delete(this.#key)
    const open = await opening?.catch(() => undefined)
    await open?.end()
  }

  async #open(): Promise<OpenFleet> {
    const open = (): Promise<OpenFleet> => openFleet(this.#source as FleetSource<FleetFile>, this.#options, this.#place)
    this.#opening ??= openUnlessFailed(this.#failed, this.#key, open)
    try {
      return await this.#opening
    } catch (error) {
      this.#opening = undefined
      throw error
    }
  }

  #namesToLease(test: (...args: never[]) => unknown): string[] {
    const used = usedFixtures(test)
    if (used !== undefined) return used.filter((name) => this.#names.includes(name))
    throw misuse(
      'the servers that this test uses are not known',
      'Write the first parameter of the test as `{ db }`, with the names of the servers to lease.',
    )
  }
}
