import type { FleetFile, FleetSource, RunningFleet, StrictFleet } from '../index.ts'
import { addToStack } from './add-to-stack.ts'
import { misuse } from './explain-failure.ts'
import type { FleetFixture, FleetFixtures } from './fixtures.ts'
import { type GlobalFleetOptions, globalFleetCalls } from './global-fleet.ts'
import type { FleetTestOptions, Per } from './open-fleet.ts'
import { SuiteFleet } from './suite-fleet.ts'
import { TestScope } from './test-scope.ts'

export type { FleetFixture, FleetFixtures } from './fixtures.ts'
export type { GlobalFleetOptions } from './global-fleet.ts'
export type { FleetTestOptions, Per } from './open-fleet.ts'
export type { Lease } from './test-scope.ts'

/** `this` of a test, as far as it is needed here. */
export interface TestThis {
  timeout(ms: number | string): unknown
  slow(ms: number | string): unknown
  retries(count: number): unknown
  skip(): never
}

/** A test that gets the fixtures of a fleet. */
export type FleetTestFunction<Fixtures extends object> = (this: TestThis, fixtures: Fixtures) => unknown

/** Declares a test, which is pending without a function, and returns what Mocha returns for it. */
export type DeclareTest<Fixtures extends object> = (title: string, test?: FleetTestFunction<Fixtures>) => MochaTest

/** A test of Mocha, as far as it is needed here. */
export interface MochaTest {
  timeout(ms: number | string): MochaTest
  retries(count: number): MochaTest
}

/** The `it` of Mocha, with fixtures for a fleet. */
export interface FleetTest<Fixtures extends object> extends DeclareTest<Fixtures> {
  readonly only: DeclareTest<Fixtures>
  readonly skip: DeclareTest<Fixtures>
  /** Returns the running fleet, for hooks. Starts or joins it if no test has done so yet. */
  fleet(): Promise<Fixtures extends { readonly fleet: infer Fleet } ? Fleet : RunningFleet>
}

/** A suite of Mocha. The root suite has no parent. */
interface Suite {
  readonly parent?: Suite | undefined
  afterEach(title: string, hook: (this: HookThis) => Promise<void>): unknown
}

interface HookThis extends Pick<TestThis, 'timeout'> {
  readonly currentTest?: CurrentTest
}

interface CurrentTest {
  readonly parent: Suite
  readonly state?: string
  readonly err?: unknown
}

type Declare = (title: string, test?: (this: { readonly test: CurrentTest }) => unknown) => MochaTest

/** What Mocha makes global: the words of its interface `bdd`, and those of `tdd`. */
interface Globals {
  readonly it?: Declare & { readonly only: Declare; readonly skip: Declare }
  readonly test?: Globals['it']
  readonly after?: (hook: (this: { timeout(ms: number): unknown }) => Promise<void>) => void
  readonly suiteTeardown?: Globals['after']
}

/**
 * Returns the `it` of Mocha, whose tests get the fixtures `fleet`, `lease`, and each server of the fleet by its name. The fleet
 * starts with the first test. A test that fails shows what the servers did meanwhile, after the stack of its error.
 *
 * @param source The fleet as an object, or the path of its file. Default: the nearest fleet file. Only an object has
 *   fixtures for its servers.
 * @example
 * const it = fleetTest({ servers: { db: { preset: 'postgresql' } } })
 * it('answers', async ({ db }) => {
 *   const client = new pg.Client(db.exports.DATABASE_URL)
 * })
 */
export function fleetTest<const F extends FleetFile, const P extends Per = 'run'>(
  source: F & StrictFleet<F>,
  options?: FleetTestOptions<F> & { readonly per?: P | undefined },
): FleetTest<FleetFixtures<F, P>>
export function fleetTest<F extends FleetFile = FleetFile>(
  source?: string,
  options?: FleetTestOptions<F>,
): FleetTest<FleetFixture<F>>
export function fleetTest(source?: string | FleetFile, options: FleetTestOptions = {}): unknown {
  const { it, after } = findMocha()
  const { MOCHA_WORKER_ID: parallel } = process.env
  const runner = parallel === undefined ? process.pid : process.ppid
  const suite = new SuiteFleet(source, options, { runner, worker: parallel ?? '0' })
  const scopes = new WeakMap<CurrentTest, TestScope>()
  const hooked = new WeakSet<Suite>()
  let last: TestScope | undefined
  after(async function () {
    this.timeout(0)
    await last?.end()
    await suite.end()
  })
  /** Ends the tests after all of their hooks, which may need their leases. These have been declared when a test runs. */
  const endTests = (root: Suite): void => {
    if (hooked.has(root)) return
    hooked.add(root)
    root.afterEach('the end of a test with a fleet', async function () {
      // The calls have limits of their own.
      this.timeout(0)
      const scope = this.currentTest && scopes.get(this.currentTest)
      if (this.currentTest?.state === 'failed' && scope !== undefined)
        // Mocha prints the stack at the end, next to the title of the test.
        addToStack(this.currentTest.err, await scope.describe())
      await scope?.end()
    })
  }
  const declareWith =
    (declare: Declare) =>
    (title: string, call?: FleetTestFunction<object>): MochaTest =>
      declare(
        title,
        call &&
          async function () {
            endTests(rootOf(this.test.parent))
            // Mocha skips the other hooks of a test after one that fails.
            await last?.end()
            const scope = new TestScope()
            last = scope
            scopes.set(this.test, scope)
            await call.call(this as unknown as TestThis, await suite.fixtures(call, scope))
          },
      )
  const others = { only: declareWith(it.only), skip: declareWith(it.skip), fleet: () => suite.fleet() }
  return Object.assign(declareWith(it), others)
}

function rootOf(suite: Suite): Suite {
  return suite.parent === undefined ? suite : rootOf(suite.parent)
}

function findMocha(): Required<Pick<Globals, 'it' | 'after'>> {
  const { it, test = it, after, suiteTeardown = after } = globalThis as Globals
  if (test !== undefined && suiteTeardown !== undefined) return { it: it ?? test, after: after ?? suiteTeardown }
  throw misuse(
    'testfleet/mocha was used without Mocha',
    'Call `fleetTest` in a test file that `mocha` runs with its interface `bdd` or `tdd`.',
  )
}

/** What a module for `mocha --require` exports. */
export interface MochaFixtures {
  /** Waits until the fleet is ready. */
  mochaGlobalSetup(): Promise<void>
  /** Takes the fleet down. */
  mochaGlobalTeardown(): Promise<void>
}

/**
 * Returns a module for `mocha --require`: it starts the fleet once before the tests, sets its variables for them, and takes it
 * down after them. In watch mode, reruns keep it. With `await`, test files have the variables already while they are loaded.
 *
 * @param source The fleet as an object, or the path of its file. Default: the nearest fleet file.
 * @example
 * export const { mochaGlobalSetup, mochaGlobalTeardown } = await globalFleet('./testfleet.yaml')
 */
export function globalFleet<const F extends FleetFile = FleetFile>(
  source?: FleetSource<F>,
  options: GlobalFleetOptions<F> = {},
): Promise<MochaFixtures> & MochaFixtures {
  const { start, end } = globalFleetCalls(source, options)
  // Mocha calls a global setup after it has loaded the test files. Its workers load this module too, and have the variables.
  const isNeeded = process.env.MOCHA_WORKER_ID === undefined && !process.argv.includes('--dry-run')
  const started = isNeeded ? start() : Promise.resolve()
  const fixtures: MochaFixtures = { mochaGlobalSetup: () => started, mochaGlobalTeardown: end }
  const ready = started.then(() => fixtures)
  // Without `await`, the setup tells the failure.
  ready.catch(() => {})
  return Object.assign(ready, fixtures)
}
