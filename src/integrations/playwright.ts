import { dirname } from 'node:path'
import type { FullConfig, TestInfo, TestType, WorkerInfo } from '@playwright/test'
import type { FleetFile, FleetSource, LeasedServer, RunningServer, ServerNames, StrictFleet } from '../index.ts'
import { explainFailure, misuse } from './explain-failure.ts'
import { type FleetFixture, type FleetFixtures, fixtureNames } from './fixtures.ts'
import { type GlobalFleetOptions, startGlobalFleet } from './global-fleet.ts'
import type { TestfleetError } from './library.ts'
import { type FleetTestOptions, type OpenFleet, openFleet, type Per } from './open-fleet.ts'
import { findRunner } from './parent.ts'
import { type Reserved, reserved } from './playwright-names.ts'
import { checkVersion, noteVersion } from './setup-version.ts'
import { formatStories } from './show-failure.ts'
import { TestScope } from './test-scope.ts'

export type { FleetFixture, FleetFixtures } from './fixtures.ts'
export type { GlobalFleetOptions } from './global-fleet.ts'
export type { Lease } from './test-scope.ts'

/** How far one fleet is shared: by all tests of a run or of a worker. `test` is as `run`, with leases for each test. */
export type PlaywrightPer = Exclude<Per, 'file'>

/** Options of `fleetTest` of testfleet/playwright. */
export interface PlaywrightFleetOptions<F extends FleetFile = FleetFile> extends Omit<FleetTestOptions<F>, 'per'> {
  /** The server at which `baseURL` points, such as `'web'`, or one port of it, such as `'web:8080'`. */
  readonly baseURL?: ServerNames<F> | `${ServerNames<F>}:${number}` | undefined
}

type OfWorker<F extends FleetFile, P extends PlaywrightPer> = P extends 'test'
  ? Pick<FleetFixture<F>, 'fleet'>
  : Omit<FleetFixtures<F, P, Reserved>, 'lease'>

/** The `test` of Playwright, with fixtures for a fleet. */
export type FleetTest<T extends object, W extends object, F extends FleetFile, P extends PlaywrightPer> = TestType<
  T & Omit<FleetFixtures<F, P, Reserved>, keyof OfWorker<F, P>>,
  W & OfWorker<F, P>
>

type Use<Value> = (value: Value) => Promise<void>

/** Fixtures that only other fixtures use. */
interface Inner {
  readonly testfleetWorker: OpenFleet
  readonly testfleetTest: CurrentTest
}

interface CurrentTest {
  readonly scope: TestScope
  /** Returns a server as this test sees it. */
  server(name: string, open: OpenFleet): Promise<RunningServer | LeasedServer>
}

/**
 * Returns a `test` of Playwright with the fixtures `fleet`, `lease`, and each server of the fleet by its name. The fleet starts
 * with the first test that uses one of them, or `baseURL`. What the servers did is attached to a test that fails.
 *
 * @param base The `test` of @playwright/test, or one that has been extended.
 * @param source The fleet as an object, or the path of its file. Default: the nearest fleet file. Only an object has
 *   fixtures for its servers.
 * @example
 * const test = fleetTest(base, fleet, { baseURL: 'web' })
 * test('says hello', async ({ page }) => {
 *   await page.goto('/')
 * })
 */
export function fleetTest<
  T extends object,
  W extends object,
  const F extends FleetFile,
  const P extends PlaywrightPer = 'run',
>(
  base: TestType<T, W>,
  source: F & StrictFleet<F>,
  options?: PlaywrightFleetOptions<F> & { readonly per?: P | undefined },
): FleetTest<T, W, F, P>
export function fleetTest<T extends object, W extends object, F extends FleetFile = FleetFile>(
  base: TestType<T, W>,
  source?: string,
  options?: PlaywrightFleetOptions<F> & { readonly per?: PlaywrightPer | undefined },
): TestType<T & Pick<FleetFixture<F>, 'lease'>, W & Pick<FleetFixture<F>, 'fleet'>>
export function fleetTest(
  base: TestType<object, object>,
  source?: string | FleetFile,
  { baseURL, ...options }: PlaywrightFleetOptions & { readonly per?: Per | undefined } = {},
): unknown {
  checkVersion()
  const { per = 'run' } = options
  if (per === 'file') throw noFileScope()
  let open: OpenFleet | undefined
  // Playwright reads the names of the fixtures that a function uses from its text.
  return base.extend({
    testfleetWorker: [
      // biome-ignore lint/correctness/noEmptyPattern: Playwright refuses any other parameter.
      async ({}, use: Use<OpenFleet>, { parallelIndex }: WorkerInfo) => {
        const place = { runner: await findRunner(), worker: String(parallelIndex) }
        const opened = await explainFailure(() => openFleet(source as FleetSource<FleetFile>, options, place))
        open = opened
        await use(opened)
        await opened.close()
      },
      { scope: 'worker', timeout: 0 },
    ],
    testfleetTest: [
      // biome-ignore lint/correctness/noEmptyPattern: Playwright refuses any other parameter.
      async ({}, use: Use<CurrentTest>, info: TestInfo) => {
        const current = beginTest(per)
        if (open !== undefined) current.scope.use(open)
        await use(current)
        if (open !== undefined) current.scope.use(open)
        if (info.status !== info.expectedStatus) await attachStories(current.scope, info)
        await current.scope.end()
      },
      { auto: true, timeout: 0 },
    ],
    fleet: [
      ({ testfleetWorker }: Inner, use: Use<unknown>) => use(testfleetWorker.fleet),
      { scope: 'worker', timeout: 0 },
    ],
    lease: ({ testfleetWorker, testfleetTest: { scope } }: Inner, use: Use<unknown>) => {
      scope.use(testfleetWorker)
      return use(scope.lease)
    },
    ...Object.fromEntries(fixtureNames(source, reserved).map((name) => [name, serverFixture(name, per)])),
    ...(baseURL === undefined ? {} : { baseURL: addressFixture(baseURL) }),
  } as never)
}

function serverFixture(name: string, per: Per): unknown {
  if (per !== 'test')
    return [({ fleet }: FleetFixture, use: Use<unknown>) => use(fleet.server(name)), { scope: 'worker' }]
  const lease = async ({ testfleetWorker, testfleetTest }: Inner, use: Use<unknown>): Promise<void> =>
    use(await explainFailure(() => testfleetTest.server(name, testfleetWorker)))
  return [lease, { timeout: 0 }]
}

function addressFixture(address: string): unknown {
  const [name = '', port] = address.split(':')
  const find = async ({ testfleetWorker, testfleetTest }: Inner, use: Use<string>): Promise<void> => {
    const server = await explainFailure(() => testfleetTest.server(name, testfleetWorker))
    const { url } = server.endpoint(port === undefined ? undefined : Number(port))
    await use(url.startsWith('https:') ? url : url.replace(/^\w+:/, 'http:'))
  }
  return [find, { timeout: 0 }]
}

function beginTest(per: Per): CurrentTest {
  const scope = new TestScope()
  const leases = new Map<string, Promise<LeasedServer>>()
  return {
    scope,
    async server(name, open) {
      const server = open.fleet.server(name)
      if (per !== 'test') return server
      scope.use(open)
      const lease = leases.get(name) ?? scope.lease(name)
      leases.set(name, lease)
      return lease
    },
  }
}

/** Attaches what each server did, as a file that the reporters and the trace viewer show. */
async function attachStories(scope: TestScope, info: TestInfo): Promise<void> {
  for (const story of await scope.describe()) {
    if (story.lines.length === 0) continue
    await info.attach(`${story.server}.log`, { body: formatStories([story]), contentType: 'text/plain' })
  }
}

function noFileScope(): TestfleetError {
  return misuse("`per` is 'file', which Playwright has no fixtures for", "Use 'worker', for one fleet in each worker.")
}

/**
 * Returns a `globalSetup` of Playwright: it starts the fleet once before the tests, which have its variables in
 * `process.env`, and takes it down after them.
 *
 * @param source The fleet as an object, or the path of its file. Default: the nearest fleet file.
 * @example
 * export default globalFleet('./testfleet.yaml')
 */
export function globalFleet<const F extends FleetFile = FleetFile>(
  source?: FleetSource<F>,
  options: GlobalFleetOptions<F> = {},
): (config: FullConfig) => Promise<() => Promise<void>> {
  return async ({ configFile }) => {
    const folder = configFile === undefined ? undefined : dirname(configFile)
    const { end } = await explainFailure(() => startGlobalFleet(source, { folder, ...options }))
    noteVersion()
    return end
  }
}
