import { isMainThread } from 'node:worker_threads'
import { inject, type TestAPI, type TestContext, test } from 'vitest'
import type { TestProject } from 'vitest/node'
import type { FleetFile, FleetSource, StrictFleet } from '../index.ts'
import { type FleetFixture, type FleetFixtures, fixtureNames, refuseUnknown, unknownFixture } from './fixtures.ts'
import { type GlobalFleetOptions, setVariables, startGlobalFleet } from './global-fleet.ts'
import { VERSION } from './library.ts'
import { refuseOldVitest } from './old-vitest.ts'
import { claimVersion, type FleetTestOptions, type OpenFleet, openFleet, type Per } from './open-fleet.ts'
import { type FailedStarts, openUnlessFailed } from './remember-failure.ts'
import { formatStories } from './show-failure.ts'
import { TestScope } from './test-scope.ts'

export type { FleetFixture, FleetFixtures } from './fixtures.ts'
export type { GlobalFleetOptions } from './global-fleet.ts'
export type { FleetTestOptions, Per } from './open-fleet.ts'
export type { Lease } from './test-scope.ts'

/** The fleet of `globalFleet`, as `inject('testfleet')` returns it. */
export interface ProvidedFleet {
  /** Name of the session. */
  readonly session: string
  /** Domain of the servers. */
  readonly domain: string
  /** What the servers export. */
  readonly exports: Readonly<Record<string, string>>
  /** All variables of the fleet, which the tests also have in `process.env`. */
  readonly environment: Readonly<Record<string, string>>
  /** Version of testfleet. */
  readonly version: string
}

declare module 'vitest' {
  interface ProvidedContext {
    /** The fleet of `globalFleet` of testfleet/vitest. */
    testfleet: ProvidedFleet
  }
}

/** Names that a test has a meaning for, so that a server of that name is no fixture. */
type Reserved = keyof TestContext & string

const reserved: readonly string[] = ['annotate', 'bench', 'expect', 'signal', 'skip', 'task'] satisfies Reserved[]

/** The `test` of Vitest, with fixtures for a fleet. */
export type FleetTest<Fixtures extends object, P extends Per = 'run'> = TestAPI<
  Fixtures & {
    readonly $__worker?: P extends 'run' | 'worker' ? Omit<Fixtures, 'lease'> : object
    readonly $__file?: P extends 'file' ? Omit<Fixtures, 'lease'> : object
    readonly $__test?: P extends 'test' ? Fixtures : Pick<Fixtures, 'lease' & keyof Fixtures>
  }
>

/**
 * Returns the `test` of Vitest with the fixtures `fleet`, `lease`, and each server of the fleet by its name. The fleet starts
 * with the first test that uses one of them. A test that fails shows what the servers did meanwhile.
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
): FleetTest<FleetFixtures<F, P, Reserved>, P>
export function fleetTest<F extends FleetFile = FleetFile>(
  source?: string,
  options?: FleetTestOptions<F>,
): FleetTest<FleetFixture<F>>
export function fleetTest(source?: string | FleetFile, options: FleetTestOptions = {}): unknown {
  claimVersion()
  refuseOldVitest(test)
  const { per = 'run' } = options
  const scope = per === 'file' ? 'file' : 'worker'
  const names = fixtureNames(source, reserved)
  let open: OpenFleet | undefined
  const failed: FailedStarts = new Map()
  // Vitest reads the names of the fixtures that a function uses from its text.
  const common = test
    .extend('testfleetTest', { auto: true }, ({ task: { context, fails } }, { onCleanup }) => {
      refuseOtherNames(context, (name) => unknownFixture(name, source, ['fleet', 'lease', ...names]))
      const current = new TestScope()
      onCleanup(async () => {
        if (open !== undefined && Object.hasOwn(context, 'fleet')) current.use(open)
        if (context.task.result?.state === 'fail' && fails !== true) await annotate(context, current)
        await current.end()
      })
      return current
    })
    // Without isolation, a worker that keeps this module runs the next file, or the same one again in watch mode.
    // biome-ignore lint/correctness/noEmptyPattern: Vitest refuses any other parameter.
    .extend('testfleetFile', { scope: 'file', auto: true }, ({}, { onCleanup }) => {
      onCleanup(() => failed.clear())
    })
    // biome-ignore lint/correctness/noEmptyPattern: Vitest refuses any other parameter.
    .extend('fleet', { scope: scope as 'worker' }, async ({}, { onCleanup }) => {
      const opening = await openUnlessFailed(failed, 'fleet', () => openInWorker(source, options))
      open = opening
      onCleanup(() => opening.close())
      return opening.fleet
    })
    .extend('lease', ({ fleet, testfleetTest }) => {
      if (open?.fleet === fleet) testfleetTest.use(open)
      return testfleetTest.lease
    })
  const extend = (extended: Extendable, name: string): Extendable =>
    per === 'test'
      ? extended.extend(name, { scope: 'test' }, ({ lease }) => lease(name))
      : extended.extend(name, { scope }, ({ fleet }) => fleet.server(name))
  return names.reduce(extend, common as unknown as Extendable)
}

/** As much of the type of `test` as does not depend on the names of its fixtures. */
interface Extendable {
  extend(name: string, options: object, fixture: (context: FleetFixture) => unknown): Extendable
}

function openInWorker(source: string | FleetFile | undefined, options: FleetTestOptions): Promise<OpenFleet> {
  const provided: ProvidedFleet | undefined = inject('testfleet')
  if (provided !== undefined) {
    claimVersion(provided.version)
    setVariables(provided.environment)
  }
  const runner = isMainThread ? process.ppid : process.pid
  const worker = process.env.VITEST_POOL_ID ?? '1'
  return openFleet(source as FleetSource<FleetFile> | undefined, options, { runner, worker, isThread: !isMainThread })
}

/** Vitest gives a test `undefined` for a fixture that does not exist. Throws when such a name is read. */
function refuseOtherNames(context: TestContext, refuse: (name: string) => Error): void {
  Object.setPrototypeOf(context, refuseUnknown(Object.getPrototypeOf(context), refuse))
}

/** Number of lines of each server that an annotation has. If there are more, all are attached. */
const MOST_LINES = 20

async function annotate(context: TestContext, scope: TestScope): Promise<void> {
  const stories = await scope.describe()
  if (stories.length === 0) return
  const message = formatStories(stories, MOST_LINES)
  const all = formatStories(stories)
  const attachment = { contentType: 'text/plain', body: all, bodyEncoding: 'utf-8' } as const
  const result = context.task.result as { state: string }
  const { state } = result
  // Vitest 5.1 annotates running tests only, and this one has just failed.
  result.state = 'run'
  const annotated =
    all === message ? context.annotate(message, 'servers') : context.annotate(message, 'servers', attachment)
  result.state = state
  await annotated
}

/**
 * Returns a global setup of Vitest: it starts the fleet once before the tests, and takes it down after them. In watch mode,
 * reruns keep it. The tests have its variables in `process.env`, and `inject('testfleet')`.
 *
 * @param source The fleet as an object, or the path of its file. Default: the nearest fleet file.
 * @example
 * export default globalFleet('./testfleet.yaml')
 */
export function globalFleet<const F extends FleetFile = FleetFile>(
  source?: FleetSource<F>,
  options: GlobalFleetOptions<F> = {},
): (project: TestProject) => Promise<() => Promise<void>> {
  return async (project) => {
    const { fleet, environment, end } = await startGlobalFleet(source, { folder: project.config.root, ...options })
    const { session, domain } = fleet
    const exports: Readonly<Record<string, string>> = { ...fleet.exports }
    // Projects with other fleets set the same variables in this process.
    project.config.env = { ...environment, ...project.config.env }
    project.provide('testfleet', { session, domain, exports, environment: { ...environment }, version: VERSION })
    return end
  }
}
