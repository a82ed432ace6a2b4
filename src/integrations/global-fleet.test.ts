import { afterEach, expect, test, vi } from 'vitest'
import type { RunningFleet } from '../index.ts'
import { startGlobalFleet } from './global-fleet.ts'
import { Testfleet } from './library.ts'
import { globalFleet as globalMochaFleet } from './mocha.ts'

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

const leave = vi.fn(async () => {})

/** A fleet that runs nowhere. */
function fake(session: string): RunningFleet<never> {
  return { session, leave, environment: { TESTFLEET_SESSION: session } } as unknown as RunningFleet<never>
}

test('the projects of a run share the fleet that they name, and the last one takes it down', async () => {
  vi.stubEnv('TESTFLEET_SESSION', undefined)
  const start = vi.spyOn(Testfleet.prototype, 'start').mockImplementation(async (source) => fake(`${source}-1`))
  const [shop, same, other] = await Promise.all(['shop', 'shop', 'bank'].map((source) => startGlobalFleet(source)))
  expect([shop, same, other].map((one) => one?.fleet.session)).toEqual(['shop-1', 'shop-1', 'bank-1'])
  expect(start).toHaveBeenCalledTimes(2)
  await other?.end()
  await shop?.end()
  expect(leave).toHaveBeenCalledTimes(1)
  await same?.end()
  expect(leave).toHaveBeenCalledTimes(2)
})

test('a fleet for another project starts, and the session of `testfleet run` is joined', async () => {
  vi.stubEnv('TESTFLEET_SESSION', undefined)
  vi.spyOn(Testfleet.prototype, 'start').mockImplementation(async (source) => fake(`${source}-2`))
  const shop = await startGlobalFleet('shop')
  expect(process.env.TESTFLEET_SESSION).toBe('shop-2')
  const other = await startGlobalFleet('bank')
  expect(process.env.TESTFLEET_SESSION).toBe('bank-2')
  await other.end()
  expect(process.env.TESTFLEET_SESSION).toBe('shop-2')
  await shop.end()
  expect(process.env.TESTFLEET_SESSION).toBe(undefined)

  const [first, last] = [await startGlobalFleet('shop'), await startGlobalFleet('bank')]
  await first.end()
  expect(process.env.TESTFLEET_SESSION).toBe('bank-2')
  await last.end()
  expect(process.env.TESTFLEET_SESSION).toBe(undefined)

  vi.stubEnv('TESTFLEET_SESSION', 'inherited')
  const share = vi.spyOn(Testfleet.prototype, 'share').mockImplementation(async () => fake('inherited'))
  await (await startGlobalFleet('shop')).end()
  expect(share).toHaveBeenCalledOnce()
})

test('a dry run of Mocha starts nothing', async () => {
  vi.stubEnv('TESTFLEET_SESSION', undefined)
  const start = vi.spyOn(Testfleet.prototype, 'start').mockImplementation(async () => fake('mocha-1'))
  const { argv } = process
  try {
    process.argv = [...argv, '--dry-run']
    await (await globalMochaFleet('mocha')).mochaGlobalSetup()
  } finally {
    process.argv = argv
  }
  expect(start).not.toHaveBeenCalled()
  const { mochaGlobalTeardown } = await globalMochaFleet('mocha')
  expect(start).toHaveBeenCalledTimes(1)
  await mochaGlobalTeardown()
})
