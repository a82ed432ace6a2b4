import type { ObservedServer } from '../model/observed.ts'
import type { Operation } from '../model/plan.ts'
import { findEndOrder } from './end-order.ts'

/** A server that a change stops, and why. */
export interface Ended {
  readonly now: ObservedServer
  readonly reason: string
}

/** Plans the stops of servers, each after the graceful stops of those that depend on it. */
export function planStops(
  ended: readonly Ended[],
  servers: ReadonlyMap<string, ObservedServer>,
  needs: readonly string[],
): Operation[] {
  const order = findEndOrder(
    ended.map(({ now: { name, isGraceful = false } }) => ({ id: stopId(name), name, isGraceful })),
    (name) => servers.get(name)?.spec.dependsOn ?? [],
  )
  const stops = ended.map(({ now: { name: server, container }, reason }): Operation => {
    const id = stopId(server)
    return { id, needs: [...needs, ...(order.get(id) ?? [])], kind: 'stopServer', server, container, reason }
  })
  const places = [...order.keys()]
  return stops.toSorted((one, other) => places.indexOf(one.id) - places.indexOf(other.id))
}

function stopId(server: string): string {
  return `stop ${server}`
}
