import type { FleetFile, FleetSource } from '../index.ts'
import { explainFailure } from './explain-failure.ts'
import { type GlobalFleetOptions, startGlobalFleet } from './global-fleet.ts'
import { noteVersion } from './setup-version.ts'

export type { GlobalFleetOptions } from './global-fleet.ts'

/** The configuration that Jest gives to a global setup or teardown, as far as it is used here. */
export interface JestConfig {
  readonly rootDir: string
  readonly watch?: boolean | undefined
  readonly watchAll?: boolean | undefined
}

/** Ends the fleets that run in this process, which is that of Jest, by the setup that started each. */
const ends = new Map<object, () => Promise<void>>()

/**
 * Returns a `globalSetup` of Jest: it starts the fleet once before the tests, which have its variables in `process.env`. In
 * watch mode, reruns keep it. `testfleet/jest/teardown` takes the fleet down.
 *
 * @param source The fleet as an object, or the path of its file. Default: the nearest fleet file.
 * @example
 * module.exports = globalFleet('./testfleet.yaml')
 */
export function globalFleet<const F extends FleetFile = FleetFile>(
  source?: FleetSource<F>,
  options: GlobalFleetOptions<F> = {},
): (config: JestConfig) => Promise<void> {
  const setup = async ({ rootDir }: JestConfig): Promise<void> => {
    if (ends.has(setup)) return
    const { end } = await explainFailure(() => startGlobalFleet(source, { folder: rootDir, ...options }))
    noteVersion()
    ends.set(setup, end)
  }
  return setup
}

/** A `globalTeardown` of Jest: takes down what a setup started. In watch mode, the fleet runs until Jest ends. */
export async function globalTeardown({ watch = false, watchAll = false }: JestConfig): Promise<void> {
  if (watch || watchAll) return
  const all = [...ends.values()]
  ends.clear()
  await explainFailure(() => Promise.all(all.map((end) => end())))
}

const nearest: (config: JestConfig) => Promise<void> = globalFleet()

export { nearest as default }
