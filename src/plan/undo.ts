import { type Labels, label } from '../model/labels.ts'
import type { Operation, Plan } from '../model/plan.ts'
import type { Change, ServerSpec } from '../model/session.ts'

/** Objects that a change has created so far and an undo has to remove. */
export interface Created {
  readonly servers: readonly { readonly id: string; readonly name: string; readonly labels: Labels }[]
  readonly networks: readonly { readonly id: string }[]
  readonly volumes: readonly { readonly id: string }[]
}

/**
 * Plans the undo of a change: removes what it created, and starts again what it set aside, each server once its
 * dependencies are ready. Pure.
 */
export function planUndo(
  session: string,
  { replaced, resumed = [] }: Pick<Change, 'replaced' | 'resumed'>,
  created: Created,
  specs: Readonly<Record<string, Pick<ServerSpec, 'dependsOn'>>>,
): Plan {
  const removals = created.servers.map(({ id: container, name, labels }): Operation => {
    const server = labels[label.server] ?? name
    return { id: `remove ${container}`, needs: [], kind: 'removeServer', server, container, reason: 'the call failed' }
  })
  const needs = removals.map(({ id }) => id)
  const networks = created.networks.map(({ id: network }): Operation => {
    return { id: `remove ${network}`, needs, kind: 'removeNetwork', network }
  })
  const volumes = created.volumes.map(({ id: volume }): Operation => {
    return { id: `remove ${volume}`, needs, kind: 'removeVolume', volume }
  })
  const returning = replaced.filter(({ ran }) => ran)
  const isReturning = (name: string): boolean => returning.some(({ server }) => server === name)
  const returns = inOrder(returning, specs).flatMap(({ server, container }): Operation[] => {
    const dependencies = (specs[server]?.dependsOn ?? []).filter(isReturning).map((name) => `ready ${name}`)
    return [
      { id: `start ${server}`, needs: [...needs, ...dependencies], kind: 'putBack', server, container },
      { id: `ready ${server}`, needs: [`start ${server}`], kind: 'awaitReady', server },
    ]
  })
  const halts = resumed.map(({ server, container, wasPaused }): Operation => {
    return { id: `halt ${server}`, needs: [], kind: 'haltServer', server, container, wasPaused }
  })
  return { session, operations: [...removals, ...networks, ...volumes, ...halts, ...returns] }
}

type Returning = Change['replaced'][number]

/** Sorts the servers so that each comes after its dependencies: an operation may only need earlier ones. */
function inOrder(
  returning: readonly Returning[],
  specs: Readonly<Record<string, Pick<ServerSpec, 'dependsOn'>>>,
): Returning[] {
  const ordered = new Set<Returning>()
  const add = (name: string, path: readonly string[]): void => {
    const one = returning.find(({ server }) => server === name)
    if (one === undefined || ordered.has(one) || path.includes(name)) return
    for (const dependency of specs[name]?.dependsOn ?? []) add(dependency, [...path, name])
    ordered.add(one)
  }
  for (const { server } of returning) add(server, [])
  return [...ordered]
}
