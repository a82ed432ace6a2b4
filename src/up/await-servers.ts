import { setTimeout as sleep } from 'node:timers/promises'
import type { ContainerSummary } from '../model/container.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import type { DesiredServer } from '../model/plan.ts'
import { awaitReady } from '../report/report.ts'
import { tellChecks } from '../report/tell-checks.ts'
import type { Tools } from '../tools.ts'
import type { PlannedUp } from './plan-up.ts'
import type { Starting } from './prepare-start.ts'

/** Plan and containers of the servers to wait for. */
interface AwaitedServers extends Pick<Starting, 'secrets'> {
  readonly fleet: Fleet
  readonly planned: PlannedUp
  /** The containers that this call has created, by server. */
  readonly created: ReadonlyMap<string, string>
}

const RESTART_LOOK_MS = 50

/** Waits until the server is ready. Resolves with true when it has completed. */
export async function awaitServer(
  name: string,
  container: ContainerSummary,
  work: AwaitedServers,
  tools: Tools,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await awaitIt(name, container, work, tools, signal)
  } catch (error) {
    // Another program took the port of a process between its start and now.
    if (!isFailure(error, 'PORT_TAKEN') || error.at !== undefined) throw error
    const { locateOwnPort } = await import('../servers/port-holder.ts')
    const at = locateOwnPort(error, findWanted(name, work).server, work.fleet)
    throw new TestfleetError('PORT_TAKEN', error.message, { server: name, at, hint: error.hint, cause: error })
  }
}

function awaitIt(
  name: string,
  container: ContainerSummary,
  work: AwaitedServers,
  tools: Tools,
  signal: AbortSignal,
): Promise<boolean> {
  const { server, spec } = findWanted(name, work)
  const { sealed, secretDigest } = work.planned.observed.get(name)?.spec ?? {}
  return awaitReady(
    { server: name, container: container.id, spec: { ...spec, sealed, secretDigest }, rights: server },
    container,
    tools,
    signal,
    {
      ...tellChecks(name, tools.onEvent),
      readSecrets: async (holder) => work.secrets.get(name) ?? work.planned.readSecrets(holder),
    },
  )
}

/** Waits again for servers with a restart policy: one may have ended after it was ready, and was started again. */
export async function awaitRestarting(work: AwaitedServers, tools: Tools, signal: AbortSignal): Promise<void> {
  for (const [name, { server }] of work.planned.desired.servers) {
    const id = work.created.get(name) ?? work.planned.observed.get(name)?.container.id
    if (server.restarts === 0 || id === undefined) continue
    let container = await tools.runtime.inspectServer(id, { signal })
    while (container.isRestarting) {
      await sleep(RESTART_LOOK_MS, undefined, { signal })
      container = await tools.runtime.inspectServer(id, { signal })
    }
    await awaitServer(name, container, work, tools, signal)
  }
}

export function findWanted(name: string, { planned }: Pick<AwaitedServers, 'planned'>): DesiredServer {
  const wanted = planned.desired.servers.get(name)
  if (wanted === undefined) throw new Error(`the plan starts ${name}, which is not desired`)
  return wanted
}
