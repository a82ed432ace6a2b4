import { after, type TestContext, type TestOptions, test } from 'node:test'
import type { FleetFile, FleetSource, RunningFleet, StrictFleet } from '../index.ts'
import { addToStack } from './add-to-stack.ts'
import type { FleetFixture, FleetFixtures } from './fixtures.ts'
import { type GlobalFleetOptions, globalFleetCalls } from './global-fleet.ts'
import type { FleetTestOptions, Per } from './open-fleet.ts'
import { SuiteFleet } from './suite-fleet.ts'
import { TestScope } from './test-scope.ts'

export type { FleetFixture, FleetFixtures } from './fixtures.ts'
export type { GlobalFleetOptions } from './global-fleet.ts'
export type { FleetTestOptions, Per } from './open-fleet.ts'
export type { Lease } from './test-scope.ts'

/** A test that gets the fixtures of a fleet. */
export type FleetTestFunction<Fixtures extends object> = (fixtures: Fixtures, context: TestContext) => unknown

/** Declares a test. One without a function, such as a `todo`, needs no fleet. */
export interface DeclareTest<Fixtures extends object> {
  (name: string, test?: FleetTestFunction<Fixtures>): Promise<void>
  (name: string, options: TestOptions, test?: FleetTestFunction<Fixtures>): Promise<void>
}

/** The `test` of node:test, with fixtures for a fleet. */
export interface FleetTest<Fixtures extends object> extends DeclareTest<Fixtures> {
  readonly only: DeclareTest<Fixtures>
  readonly skip: DeclareTest<Fixtures>
  readonly todo: DeclareTest<Fixtures>
  /** Returns the running fleet, for hooks. Starts or joins it if no test has done so yet. */
  fleet(): Promise<Fixtures extends { readonly fleet: infer Fleet } ? Fleet : RunningFleet>
}

/**
 * Returns the `test` of node:test, whose tests get the fixtures `fleet`, `lease`, and each server of the fleet by its name. The
 * fleet starts with the first test. A test that fails shows what the servers did meanwhile, after the stack of its error.
 *
 * @param source The fleet as an object, or the path of its file. Default: the nearest fleet file. Only an object has
 *   fixtures for its servers.
 * @example
 * const test = fleetTest({ servers: { db: { preset: 'postgresql' } } })
 * test('answers', async ({ db }) => {
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
  const { NODE_TEST_CONTEXT: isolation = '', NODE_TEST_WORKER_ID: worker = String(process.pid) } = process.env
  // `node --test` runs each file in a process of its own, except with `--test-isolation=none`.
  const runner = isolation.startsWith('child') ? process.ppid : process.pid
  const suite = new SuiteFleet(source, options, { runner, worker })
  after(() => suite.end())
  const declareWith =
    (declare: typeof test.only) =>
    (name: string, ...rest: unknown[]): Promise<void> => {
      const call = rest.find((one) => typeof one === 'function') as FleetTestFunction<object> | undefined
      const options = (rest.find((one) => typeof one === 'object') ?? {}) as TestOptions
      return declare(name, options, call && ((context) => runTest(context as FailingContext, call, suite)))
    }
  const { only, skip, todo } = test
  const others = { only: declareWith(only), skip: declareWith(skip), todo: declareWith(todo) }
  return Object.assign(declareWith(test), others, { fleet: () => suite.fleet() })
}

/** `error` is missing in the types of Node 24. */
type FailingContext = TestContext & { readonly error?: unknown }

async function runTest(context: FailingContext, call: FleetTestFunction<object>, suite: SuiteFleet): Promise<void> {
  const scope = new TestScope()
  let isRunning = true
  const end = async (): Promise<void> => {
    if (context.error) {
      // node:test wraps what the test has thrown. A reporter shows the stack; that for JUnit XML leaves out diagnostics.
      const thrown = (context.error as { readonly cause?: unknown }).cause ?? context.error
      const rest = addToStack(thrown, await scope.describe())
      if (rest !== undefined) context.diagnostic(rest)
    }
    await scope.end()
  }
  // A test whose time is up may run on.
  context.after(async () => isRunning && (await end()))
  try {
    await call(await suite.fixtures(call, scope), context)
  } finally {
    isRunning = false
    // After the hooks of the test itself, which may need its leases.
    if (!scope.isOver) context.after(end)
  }
}

/**
 * Returns a module for `node --test --test-global-setup`: it starts the fleet once before the tests, sets its variables for
 * them, and takes it down after them.
 *
 * @param source The fleet as an object, or the path of its file. Default: the nearest fleet file.
 * @example
 * export const { globalSetup, globalTeardown } = globalFleet('./testfleet.yaml')
 */
export function globalFleet<const F extends FleetFile = FleetFile>(
  source?: FleetSource<F>,
  options: GlobalFleetOptions<F> = {},
): { readonly globalSetup: () => Promise<void>; readonly globalTeardown: () => Promise<void> } {
  const { start, end } = globalFleetCalls(source, options)
  return { globalSetup: start, globalTeardown: end }
}
