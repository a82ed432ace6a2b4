import { loadFleet } from '../config/load-fleet.ts'
import { formatSize } from '../formats/size.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import { say } from '../model/surface.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { type PlannedUp, planUp } from '../up/plan-up.ts'
import type { FleetOrder } from './order.ts'

/** A server of a running session, and what its copies are made from. */
export interface PlannedServer {
  readonly name: string
  readonly fleet: Fleet
  readonly planned: PlannedUp
  /** Digest of what its container is made from. */
  readonly digest: string
}

/**
 * Loads the fleet of a session again and finds the server that is to be copied. Fails with USAGE when the fleet file no
 * longer describes the server that runs, because copies would differ from it.
 */
export async function planServer(
  name: string,
  parent: StoredRecord,
  order: FleetOrder,
  tools: Tools,
): Promise<PlannedServer> {
  refuseCompleted(name, parent)
  const fleet = await loadFleet(order, tools.host)
  const server = fleet.servers.get(name)
  if (server === undefined) throw changed(name, parent)
  refuseShared(server)
  const target = { kind: 'existing', record: parent } as const
  const session = { kind: 'named', name: parent.name, by: '' } as const
  const request = { fleet, servers: [name], session, keepOnFailure: false }
  for (const bind of ['free', 'fixed'] as const) {
    const planned = await planUp({ ...request, bind }, target, tools, { mayPull: false })
    const digest = planned.observed.get(name)?.container.labels[label.digest]
    if (digest === undefined || digest !== planned.desired.servers.get(name)?.digest) continue
    if (bind === 'fixed' && server.ports.length > 0) throw fixed(name)
    return { name, fleet, planned, digest }
  }
  throw changed(name, parent)
}

/** Refuses copies whose memory limits are more than the memory of the engine's machine. Fails with USAGE. */
export async function refuseTooMany(
  { name, fleet }: PlannedServer,
  size: number,
  { engine, signal }: Tools,
): Promise<void> {
  const limit = fleet.servers.get(name)?.limits.memoryBytes
  if (limit === undefined) return
  const { memoryBytes } = await engine.info({ signal })
  if (memoryBytes === 0 || size * limit <= memoryBytes) return
  const need = `${size} copies need ${formatSize(size * limit)} of memory, and the engine has ${formatSize(memoryBytes)}`
  throw notCopied(name, need, 'Make its `pool` or its memory limit smaller.')
}

function refuseCompleted(server: string, { servers }: StoredRecord): void {
  if (servers[server]?.ready.some(({ kind }) => kind === 'exit') !== true) return
  throw new TestfleetError('USAGE', `${server} cannot be lent: it is a server that ends`, { server })
}

/** Copies cannot share a port of this machine, and must not share files that they write. */
function refuseShared({ name, ports, mounts }: Server): void {
  const port = ports.find(({ host }) => host !== undefined)
  if (port !== undefined) throw notCopied(name, `it publishes the port ${port.host} of this machine`, 'Remove `host`.')
  const mount = mounts.find(({ kind, writable }) => kind === 'bind' && writable)
  if (mount === undefined) return
  throw notCopied(name, `copies would all write to the mount at ${mount.to}`, 'Use a volume, or remove `writable`.')
}

function notCopied(server: string, why: string, hint: string): TestfleetError {
  return new TestfleetError('USAGE', `${server} cannot be lent as a copy: ${why}`, { server, hint })
}

function changed(server: string, { name }: StoredRecord): TestfleetError {
  return new TestfleetError('USAGE', `${server} of session ${name} was started from another state of the fleet file`, {
    server,
    hint: `Bring the session up to date with ${say('up')}, then lease again.`,
  })
}

function fixed(server: string): TestfleetError {
  const hint = `Start the session without ${say('bindFixed')}.`
  return notCopied(server, `its ports were published with ${say('bindFixed')}`, hint)
}
