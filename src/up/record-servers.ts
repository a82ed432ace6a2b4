import type { ServerRecord } from '../model/session.ts'
import { digestSecrets, sealSecrets } from '../servers/secrets.ts'
import type { OwnChange } from '../sessions/change.ts'
import type { Tools } from '../tools.ts'
import type { PlannedUp } from './plan-up.ts'
import type { Starting } from './prepare-start.ts'

interface Recorded extends Pick<Starting, 'secrets'> {
  readonly planned: PlannedUp
  /** Containers that this call has created, by server. */
  readonly created: ReadonlyMap<string, string>
  /** Servers whose `postStart` commands have completed. */
  readonly finished: ReadonlySet<string>
  /** Digests of the variables that this call has given to processes, by server. */
  readonly given: ReadonlyMap<string, string | undefined>
}

/** External servers that are no longer in the fleet: nothing stops them, and only their records end. */
function listLeft({ desired }: PlannedUp, servers: Readonly<Record<string, ServerRecord>>): readonly string[] {
  const names = desired.isWholeFleet ? Object.keys(servers) : []
  return names.filter((name) => !desired.servers.has(name) && servers[name]?.external !== undefined)
}

/** Returns the server records after the plan: servers that it starts, keeps, or does not touch. */
export async function recordServers(
  { record }: Pick<OwnChange, 'record'>,
  { planned, created, secrets, finished, given }: Recorded,
  { host }: Pick<Tools, 'host'>,
): Promise<Record<string, ServerRecord>> {
  const servers = { ...record.servers }
  for (const operation of planned.plan.operations) {
    if (operation.kind === 'stopServer') delete servers[operation.server]
  }
  for (const name of listLeft(planned, servers)) delete servers[name]
  for (const [name, { spec, server }] of planned.desired.servers) {
    const container = created.get(name)
    const known = servers[name]
    if (container === undefined && known !== undefined) servers[name] = { ...known, ...spec, isStopped: undefined }
    if (container === undefined) continue
    const values = secrets.get(name) ?? new Map()
    const sealed = await sealSecrets(values, container, host)
    const isUnfinished = server.postStart.length > 0 && !finished.has(name)
    const left = { ...spec, ...(isUnfinished && { isUnfinished }) }
    servers[name] = {
      ...left,
      variablesDigest: given.get(name),
      container,
      secretDigest: digestSecrets(values),
      sealed,
    }
  }
  return servers
}
