import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { startGlobalFleet } from './global-fleet.ts'
import { useFleet } from './jest.ts'
import { VERSION } from './library.ts'
import { fleetTest as mochaTest } from './mocha.ts'
import { fleetTest as nodeTest } from './node-test.ts'
import { fleetTest as playwrightTest } from './playwright.ts'
import { fleetTest as vitestTest } from './vitest.ts'

const loaded = Symbol.for('testfleet.version')

beforeEach(() => {
  vi.stubGlobal('it', () => {})
  vi.stubGlobal('after', () => {})
  Object.assign(globalThis, { [loaded]: '0.0.7' })
})

afterEach(() => {
  vi.unstubAllGlobals()
  Object.assign(globalThis, { [loaded]: VERSION })
})

const extend = vi.fn()
const inJest = { hooks: {}, context: {} }

/** How a test file gets its fleet from each runner. */
const integrations: Readonly<Record<string, () => unknown>> = {
  'testfleet/vitest': () => vitestTest('./testfleet.yaml'),
  'testfleet/jest': () => (useFleet as (...words: unknown[]) => unknown)('./testfleet.yaml', {}, inJest),
  'testfleet/playwright': () => playwrightTest({ extend } as never, './testfleet.yaml'),
  'testfleet/node-test': () => nodeTest('./testfleet.yaml'),
  'testfleet/mocha': () => mochaTest('./testfleet.yaml'),
}

const refused = expect.objectContaining({
  code: 'USAGE',
  message: expect.stringMatching(/^this project has testfleet 0\.0\.7 and testfleet \S+\nhint: Find both with .*$/),
  hint: 'Find both with `npm ls testfleet`, and install one version.',
})

test.each(Object.keys(integrations))('%s is refused when another version of the library is loaded', (name) => {
  expect(integrations[name]).toThrow(refused)
  expect(extend).not.toHaveBeenCalled()
})

test('a global setup is refused when another version of the library is loaded', async () => {
  await expect(startGlobalFleet('./testfleet.yaml')).rejects.toEqual(refused)
})
