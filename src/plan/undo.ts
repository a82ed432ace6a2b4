import { type Labels, label } from '../model/labels.ts'
import type { Operation, OperationOf, Plan } from '../model/plan.ts'
import type { Change, ServerSpec } from '../model/session.ts'
import { findEndOrder } from './end-order.ts'

/** Objects that a change has created so far and an undo has to remove. */
export interface Created {
  readonly servers: readonly { readonly id: string; readonly name: string; readonly labels: Labels }[]
  readonly networks: readonly { readonly id: string }[]
  readonly volumes: readonly { readonly id: string }[]
}

/**
 * Plans the undo of a change: removes what it created, and starts again what it set aside, each server once its
 * dependencies are ready. Pure.
 *
 * @param graceful Containers that stop gracefully: those that they depend on end after them.
 */
export function planUndo(
  session: string,
  { replaced, resumed = [], starting = {} }: Pick<Change, 'replaced' | 'resumed'> & Partial<Pick<Change, 'starting'>>,
  created: Created,
  specs: Readonly<Record<string, Pick<ServerSpec, 'dependsOn'>>>,
  graceful: readonly { readonly id: string }[] = [],
): Plan {
  const removed = created.servers.map(({ id: container, name, labels }): Ending => {
    const server = labels[label.server] ?? name
    return { id: `remove ${container}`, needs: [], kind: 'removeServer', server, container, reason: 'the call failed' }
  })
  const halted = resumed.map(({ server, container, wasPaused }): Ending => {
    return { id: `halt ${server}`, needs: [], kind: 'haltServer', server, container, wasPaused }
  })
  const endings = orderEndings([...removed, ...halted], { ...specs, ...starting }, graceful)
  const removals = endings.filter(({ kind }) => kind === 'removeServer')
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
  return { session, operations: [...endings, ...networks, ...volumes, ...returns] }
}

type Ending = OperationOf<'removeServer'> | OperationOf<'haltServer'>

/** Makes each end wait for the graceful ends of the servers that depend on it. */
function orderEndings(
  endings: readonly Ending[],
  specs: Readonly<Record<string, Pick<ServerSpec, 'dependsOn'>>>,
  graceful: readonly { readonly id: string }[],
): Ending[] {
  const isGraceful = (container: string): boolean => graceful.some(({ id }) => id === container)
  const servers = endings.map(({ id, server: name, container }) => ({ id, name, isGraceful: isGraceful(container) }))
  const order = findEndOrder(servers, (name) => specs[name]?.dependsOn ?? [])
  const byId = new Map(endings.map((one) => [one.id, one]))
  return [...order].flatMap(([id, needs]) => {
    const one = byId.get(id)
    return one === undefined ? [] : [{ ...one, needs }]
  })
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
