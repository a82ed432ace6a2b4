import type { CallOptions } from '../engine/engine.ts'
import type { ContainerSummary } from '../model/container.ts'
import { label } from '../model/labels.ts'
import type { ServerSpec, SessionRecord } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** A server of a session that has a container now. */
export interface ObservedServer {
  readonly name: string
  readonly container: ContainerSummary
  readonly spec: ServerSpec
}

export type ObservedServers = ReadonlyMap<string, ObservedServer>

/**
 * The servers of a session. Which container is a server's is what the record says, and nothing that a container says of
 * itself; while a change is made, those that carry its id go first.
 */
export async function observeServers(
  record: Pick<SessionRecord, 'id' | 'servers' | 'change'>,
  runtime: Runtime,
  options: CallOptions,
): Promise<ObservedServers> {
  return matchServers(record, await runtime.listServers({ [label.session]: record.id }, { signal: options.signal }))
}

export function matchServers(
  { servers, change }: Pick<SessionRecord, 'servers' | 'change'>,
  containers: readonly ContainerSummary[],
): ObservedServers {
  const observed = new Map<string, ObservedServer>()
  for (const [name, spec] of Object.entries(servers)) {
    const container = containers.find(({ id }) => id === spec.container)
    if (container !== undefined) observed.set(name, { name, container, spec })
  }
  if (change?.stage !== 'making') return observed
  for (const container of containers.filter(({ labels }) => labels[label.change] === change.id)) {
    const name = container.labels[label.server] ?? ''
    const spec = Object.hasOwn(change.starting, name) ? change.starting[name] : undefined
    if (spec !== undefined) observed.set(name, { name, container, spec })
  }
  return observed
}
