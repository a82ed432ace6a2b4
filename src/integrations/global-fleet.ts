import type { FleetFile, FleetSource, RunningFleet } from '../index.ts'
import { tellPlainly } from './explain-failure.ts'
import type { Testfleet } from './library.ts'
import { begin, claimVersion, type FleetTestOptions, ofProcess, openOnce } from './open-fleet.ts'

/** The fleet of a whole run, for suites that find its servers by variables. */
export interface GlobalFleet<F extends FleetFile = FleetFile> {
  readonly fleet: RunningFleet<F>
  /** The variables that are set. */
  readonly environment: Readonly<Record<string, string>>
  /** Takes the fleet down, and resets the variables. */
  end(): Promise<void>
}

/** Options of the fleet of a whole run. */
export interface GlobalFleetOptions<F extends FleetFile = FleetFile> extends Omit<FleetTestOptions<F>, 'per'> {
  /** Whether tests get the variables by which clients trust the certificates of the fleet. Default: true. */
  readonly trust?: boolean | undefined
}

/**
 * Starts a fleet for a whole run, or takes a standby copy, and sets its variables in this process before workers are started.
 * Joins the session in TESTFLEET_SESSION instead, as under `testfleet run`. Calls for the same fleet in this process get one.
 */
export async function startGlobalFleet<F extends FleetFile>(
  source: FleetSource<F> | undefined,
  options: GlobalFleetOptions<F> = {},
): Promise<GlobalFleet<F>> {
  claimVersion()
  const own = ofProcess('own', () => new Set<string>())
  const inherited = process.env.TESTFLEET_SESSION
  const isJoined = inherited !== undefined && inherited !== '' && !own.has(inherited)
  const open = (client: Testfleet): Promise<RunningFleet<F>> =>
    isJoined ? client.share(source, options) : client.start(source, options)
  return openOnce(['global', source, options], async () => {
    const begun = await begin(options, open, { runner: process.pid, worker: '0' })
    if (!isJoined) own.add(begun.fleet.session)
    const { environment: all, session } = begun.fleet
    const environment = options.trust === false ? await begun.client.environment({ session, trust: false }) : all
    const resetVariables = layVariables(environment)
    const end = (): Promise<void> => {
      resetVariables()
      return begun.end()
    }
    return { ...begun, environment, end }
  })
}

/** Returns the start and the end of the fleet of a whole run, for a runner that calls them one after the other. */
export function globalFleetCalls<F extends FleetFile>(
  source: FleetSource<F> | undefined,
  options: GlobalFleetOptions<F>,
): { readonly start: () => Promise<void>; readonly end: () => Promise<void> } {
  let started: GlobalFleet<F> | undefined
  return {
    async start() {
      started = await tellPlainly(() => startGlobalFleet(source, options))
    },
    async end() {
      await started?.end()
      started = undefined
    },
  }
}

/** The earlier values of variables that a fleet has set. */
type Layer = Record<string, string | undefined>

/**
 * Sets variables of this process, and returns a function that sets them back. Fleets can end in any order: a variable that
 * a later fleet has set too keeps its value until that fleet ends.
 */
function layVariables(values: Readonly<Record<string, string>>): () => void {
  const layers = ofProcess('variables', (): Layer[] => [])
  const layer = setVariables(values)
  layers.push(layer)
  return () => {
    const at = layers.indexOf(layer)
    if (at === -1) return
    layers.splice(at, 1)
    for (const [name, value] of Object.entries(layer)) {
      const later = layers.slice(at).find((one) => Object.hasOwn(one, name))
      if (later === undefined) setVariables({ [name]: value })
      else later[name] = value
    }
  }
}

/** Sets variables of this process, and returns their earlier values. */
export function setVariables(values: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  const before = Object.fromEntries(Object.keys(values).map((name) => [name, process.env[name]]))
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  return before
}
