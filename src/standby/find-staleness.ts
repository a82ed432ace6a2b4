import { isDeepStrictEqual } from 'node:util'
import { findEngine } from '../engine/open-engine.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Operation } from '../model/plan.ts'
import type { Tools } from '../tools.ts'
import { planUp } from '../up/plan-up.ts'
import { loadStandbyFleet } from './load-fleet.ts'
import type { StandbyOrder } from './protocol.ts'

/** An engine, and what decides which one calls use. */
export interface EngineTools extends Pick<Tools, 'host'> {
  readonly engine: Pick<Tools['engine'], 'location'>
}

/** A session, and the fleet that it was started from. */
export interface Started {
  readonly id: string
  readonly fleet: Fleet
}

/**
 * Returns why a copy is not what a new fleet would be; undefined when it is. The fleet is loaded and planned again as if
 * the copy were the session of `up`: a plan that would replace or update a server says why.
 */
export async function findStaleness(
  copy: Started,
  { source, engine }: Pick<StandbyOrder, 'source' | 'engine'>,
  tools: Tools,
): Promise<string | undefined> {
  const fleet = await loadStandbyFleet(source, tools.host)
  const hooks = describeHooks(fleet)
  if (hooks !== describeHooks(copy.fleet)) return 'a hook has changed'
  const other = await findOtherEngine(engine, tools)
  if (other !== undefined) return `the engine is now ${other}`
  const record = await tools.sessions.find(copy.id, tools)
  if (record === undefined) return 'it was removed'
  const session = { kind: 'new', name: undefined } as const
  const request = { fleet, servers: [], session, bind: 'free', keepOnFailure: false } as const
  const { plan } = await planUp(request, { kind: 'existing', record }, tools, { mayPull: false })
  return findChange(plan.operations)
}

/** Words the first change of a plan; undefined when it keeps everything. A server's own reason comes before that of its image. */
export function findChange(operations: readonly Operation[]): string | undefined {
  const first =
    operations.find(({ kind }) => kind === 'startServer') ?? operations.find(({ kind }) => kind === 'stopServer')
  const changes = [...(first === undefined ? [] : [first]), ...operations].map(wordChange)
  return changes.find((change) => change !== undefined)
}

function wordChange(operation: Operation): string | undefined {
  switch (operation.kind) {
    case 'startServer':
    case 'stopServer':
      return `${operation.server}: ${operation.reason}`
    case 'pullImage':
      return `the engine lacks the image ${operation.reference}`
    case 'buildImage':
    case 'bakeImage':
      return `${operation.servers.join(', ')}: the image has changed`
    case 'saveRecord':
      return operation.updates.map(({ server, reason }) => `${server}: ${reason}`)[0]
    case 'keepServer':
    case 'resumeServer':
    case 'awaitReady':
      return undefined
    default:
      return 'the fleet has changed'
  }
}

/**
 * Returns the URL of the engine that calls now use; undefined when it is that of the copies. It becomes another one with
 * `docker context use`, or when a usual socket appears. Fails with ENGINE_CONFIGURATION.
 */
export async function findOtherEngine(
  named: string | undefined,
  { engine, host }: EngineTools,
): Promise<string | undefined> {
  const { url, endpoint } = await findEngine(named, host)
  return isDeepStrictEqual(endpoint, engine.location.endpoint) ? undefined : url
}

/** Commands that have run in a copy, or will: `up` runs none again when they change. */
function describeHooks({ servers }: Fleet): string {
  return JSON.stringify(
    [...servers].map(([name, { preStart, postStart, preStop }]) => [name, preStart, postStart, preStop]),
    (_, value) => (value instanceof Map ? [...value] : value),
  )
}
