import { inspect } from 'node:util'
import { afterEach, expect, test, vi } from 'vitest'
import { explain, tellPlainly } from './explain-failure.ts'
import { isChildOfJest, useFleet } from './jest.ts'
import { TestfleetError } from './library.ts'
import { fleetTest } from './playwright.ts'
import { checkVersion } from './setup-version.ts'
import { UsedFleet } from './use-fleet.ts'

afterEach(() => vi.unstubAllEnvs())

test('knows a process that Jest has started', () => {
  const inPackage = (file: string): string[] => ['node', `/shop/node_modules/${file}`]
  expect(isChildOfJest(inPackage('jest-worker/build/processChild.js'))).toBe(true)
  expect(isChildOfJest(inPackage('jest-worker/build/threadChild.js'))).toBe(false)
  expect(isChildOfJest(inPackage('.bin/jest'))).toBe(false)
})

test('refuses to be used outside of Jest', () => {
  expect(() => useFleet()).toThrow(
    expect.objectContaining({ code: 'USAGE', hint: expect.stringContaining('useFleet') }),
  )
})

test('refuses one fleet for each file of Playwright, which has no fixtures for a file', () => {
  const base = { extend: () => undefined } as unknown as Parameters<typeof fleetTest>[0]
  const options = { per: 'file' } as object
  expect(() => fleetTest(base, './testfleet.yaml', options)).toThrow(expect.objectContaining({ code: 'USAGE' }))
})

test('refuses the fleet of a setup of another version', () => {
  checkVersion()
  vi.stubEnv('TESTFLEET_SETUP_VERSION', '0.0.7')
  expect(checkVersion).toThrow(expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('0.0.7') }))
})

test('puts the last output and the hint of a failure into its message, once', () => {
  const error = new TestfleetError('SERVER_DIED', 'db died', { output: ['out of memory'], hint: 'Raise `memory`.' })
  error.leftovers = 'container shop-db'
  error.bundle = '/tmp/shop'
  explain(error)
  const explained = explain(error) as TestfleetError
  const text =
    'db died\n  | out of memory\nhint: Raise `memory`.\nleft behind: container shop-db\nfailure bundle, summary.txt first: /tmp/shop'
  expect(explained).toMatchObject({ code: 'SERVER_DIED', message: text })
  expect(explained.stack?.split(text).length).toBe(2)
  expect(explain('thrown')).toBe('thrown')
})

test('tells a runner that prints the whole error only its message', async () => {
  const fails = async (): Promise<never> => {
    throw new TestfleetError('FLEET_FILE_NOT_FOUND', 'fleet.yaml is not a file', { hint: 'Name another.' })
  }
  const error = await tellPlainly(fails).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'FLEET_FILE_NOT_FOUND' })
  expect(inspect(error)).toBe('[fleet.yaml is not a file\nhint: Name another.]')
})

test('a fleet can be used in tests only', () => {
  const hooks = { beforeAll: vi.fn(), beforeEach: vi.fn(), afterEach: vi.fn(), afterAll: vi.fn() }
  const findPlace = vi.fn()
  const fleet = new UsedFleet(hooks, { source: undefined, options: {}, findPlace })
  const early = expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('in a test or in a hook') })
  for (const use of [() => fleet.running, () => fleet.server('web'), () => fleet.exports, () => fleet.environment])
    expect(use).toThrow(early)
})

const outside = {
  code: 'USAGE',
  message: expect.stringMatching(/^the lease of web was asked for outside of a test(\nhint: Call it while .*)?$/),
}

test('nothing is leased outside of a test of Jest, and Jest shows what to do', async () => {
  const hooks = { beforeAll: vi.fn(), beforeEach: vi.fn(), afterEach: vi.fn(), afterAll: vi.fn() }
  const fleet = new UsedFleet(hooks, { source: undefined, options: {}, findPlace: vi.fn() })
  const early = await fleet.lease('web').catch((error) => error)
  expect(early).toMatchObject(outside)
  expect(early.message).toContain(early.hint)
  await hooks.beforeEach.mock.calls[0]?.[0]()
  await hooks.afterEach.mock.calls[0]?.[0]()
  await expect(fleet.lease('web')).rejects.toMatchObject(outside)
})

test('nothing is leased after a test of Playwright', async () => {
  type Fixture = (others: object, use: (value: never) => Promise<void>, info?: object) => Promise<void>
  type Fixtures = { readonly testfleetTest: readonly [Fixture]; readonly lease: Fixture }
  const extend = vi.fn((_: Fixtures) => {})
  fleetTest({ extend } as never, './testfleet.yaml')
  const [fixtures] = extend.mock.calls[0] ?? []
  const kept: ((server: string) => Promise<unknown>)[] = []
  const lease = vi.fn(async () => ({ release: async () => {} }))
  const body = async (testfleetTest: object): Promise<void> =>
    fixtures?.lease({ testfleetWorker: { fleet: { lease } }, testfleetTest }, async (given) => {
      kept.push(given)
      await kept[0]?.('web')
    })
  await fixtures?.testfleetTest[0]({}, body, { status: 'passed', expectedStatus: 'passed' })
  expect(lease).toHaveBeenCalledOnce()
  await expect(kept[0]?.('web')).rejects.toMatchObject(outside)
})
