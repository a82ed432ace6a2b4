import type { ContainerSummary } from '../model/container.ts'
import { label } from '../model/labels.ts'
import type { SessionRecord } from '../model/session.ts'
import { type DependenciesOf, findEndOrder } from '../plan/end-order.ts'
import { stopsGracefully } from '../runtime/runtime.ts'

/** Reads the dependencies of a session's servers, with those of a change that is not complete. */
export function dependenciesIn({ servers, change }: Pick<SessionRecord, 'servers' | 'change'>): DependenciesOf {
  return (name) => [...(servers[name]?.dependsOn ?? []), ...(change?.starting[name]?.dependsOn ?? [])]
}

/**
 * Removes servers at the same time, except that each waits for those that depend on it and stop gracefully. Tries to
 * remove all of them, and returns the errors.
 */
export async function removeInOrder(
  servers: readonly ContainerSummary[],
  dependenciesOf: DependenciesOf,
  remove: (server: ContainerSummary) => Promise<void>,
): Promise<unknown[]> {
  const byId = new Map(servers.map((server) => [server.id, server]))
  const ending = servers.map((server) => ({
    id: server.id,
    name: server.labels[label.server] ?? '',
    isGraceful: stopsGracefully(server),
  }))
  const removals = new Map<string, Promise<void>>()
  for (const [id, earlier] of findEndOrder(ending, dependenciesOf)) {
    const server = byId.get(id)
    if (server === undefined) continue
    const isTurn = Promise.allSettled(earlier.map((other) => removals.get(other)))
    removals.set(
      id,
      isTurn.then(() => remove(server)),
    )
  }
  const results = await Promise.allSettled(removals.values())
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
}
