import type { FleetFile, FleetSource, StrictFleet } from '../index.ts'
import { explainFailure, misuse } from './explain-failure.ts'
import type { TestfleetError } from './library.ts'
import type { FleetTestOptions, Per, Place } from './open-fleet.ts'
import { endWithRunner, findRunner } from './parent.ts'
import { checkVersion } from './setup-version.ts'
import { formatStories } from './show-failure.ts'
import { type Hooks, UsedFleet } from './use-fleet.ts'

// By its name: a bundle of both entries would load more than one of them needs.
export * from 'testfleet'
export type { FleetTestOptions, Per } from './open-fleet.ts'
export type { Lease } from './test-scope.ts'
export type { ServerInTest, UsedFleet } from './use-fleet.ts'

/** What Jest gives to a test file. */
interface TestFile {
  readonly hooks: Readonly<Record<keyof Hooks, (work: () => Promise<void>, timeoutMs: number) => void>>
  /** The global object of its context. */
  readonly context: { readonly [EVENT_HANDLERS]?: ((event: TestEvent) => unknown)[] }
}

/** An event of jest-circus, the part of Jest that runs the tests of a file. */
interface TestEvent {
  readonly name: string
  readonly test?: { readonly errors: unknown[] }
}

/** The functions that jest-circus calls with each event. */
const EVENT_HANDLERS = Symbol.for('EVENT_HANDLERS')
/** The longest time of a timer. The calls in a hook have limits of their own. */
const NO_LIMIT_MS = 2 ** 31 - 1
/** Number of lines of each server that a failed test shows. */
const MOST_LINES = 50

/**
 * Starts a fleet before the tests of a file, and returns it. A test that fails shows what the servers did meanwhile.
 *
 * @param source The fleet as an object, or the path of its file. Default: the nearest fleet file.
 * @example
 * const fleet = useFleet('./testfleet.yaml')
 * test('answers', async () => {
 *   const client = new pg.Client(fleet.exports.DATABASE_URL)
 * })
 */
export function useFleet<const F extends FleetFile, const P extends Per = 'run'>(
  source: F & StrictFleet<F>,
  options?: FleetTestOptions<F> & { readonly per?: P | undefined },
): UsedFleet<F, P>
export function useFleet<F extends FleetFile = FleetFile, const P extends Per = 'run'>(
  source?: string,
  options?: FleetTestOptions<F> & { readonly per?: P | undefined },
): UsedFleet<F, P>
export function useFleet(source?: FleetSource<FleetFile>, options: FleetTestOptions = {}, file?: TestFile): UsedFleet {
  if (file === undefined) throw outsideOfJest()
  checkVersion()
  const { beforeAll, beforeEach, afterEach, afterAll } = file.hooks
  const events = file.context[EVENT_HANDLERS]
  const hooks: Hooks = {
    beforeAll: (work) => beforeAll(() => explainFailure(work), NO_LIMIT_MS),
    beforeEach: (work) => beforeEach(() => explainFailure(work), NO_LIMIT_MS),
    afterEach(work) {
      if (events === undefined) afterEach(() => explainFailure(work), NO_LIMIT_MS)
      else events.push((event) => endTest(event, work))
    },
    afterAll: (work) => afterAll(() => explainFailure(work), NO_LIMIT_MS),
  }
  // In the context of a test file, even plain objects have other prototypes.
  const fleet = new UsedFleet(hooks, { source: structuredClone(source), options: structuredClone(options), findPlace })
  events?.push((event) => showServers(event, fleet))
  return fleet
}

/** Ends a test after all of its hooks, which may need its leases: Jest calls those of one block in the order of the file. */
async function endTest({ name, test }: TestEvent, work: () => Promise<void>): Promise<void> {
  if (name !== 'test_done') return
  try {
    await explainFailure(work)
  } catch (error) {
    // No hook of Jest that could fail.
    test?.errors.push(error)
  }
}

/** Jest runs a few short files in its own process, and all others in processes or threads that it starts. */
async function findPlace(): Promise<Place> {
  const runner = isChildOfJest(process.argv) ? await findRunner() : process.pid
  return { runner, worker: process.env.JEST_WORKER_ID ?? '1' }
}

export function isChildOfJest([, file = '']: readonly string[]): boolean {
  return /[\\/]jest-worker[\\/]build[\\/]processChild\.js$/.test(file)
}

if (isChildOfJest(process.argv)) endWithRunner()

/** Adds what the servers did to a test that has just failed, as an error: Jest and its reporters show all errors of a test. */
async function showServers({ name, test }: TestEvent, fleet: UsedFleet): Promise<void> {
  if (test === undefined || (name !== 'test_fn_failure' && name !== 'hook_failure')) return
  const stories = await fleet.describe()
  if (stories.length === 0) return
  const message = `Servers during this test:\n${formatStories(stories, MOST_LINES)}`
  test.errors.push(Object.assign(new Error(message), { stack: message }))
}

function outsideOfJest(): TestfleetError {
  return misuse('testfleet/jest is not used by a test of Jest', 'Call `useFleet` in a test file that Jest runs.')
}
