import { readFile } from 'node:fs/promises'
import type { CallOptions } from '../engine/engine.ts'
import type { ContainerSummary } from '../model/container.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Server } from '../model/fleet.ts'
import type { Holder, Lifetime, Machine } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { noteContainer, readMachine } from './processes.ts'
import type { StoredRecord } from './store.ts'

/**
 * Finds the id of a container in the text of /proc/self/mountinfo: Docker and Podman mount files from a folder of that
 * name.
 */
export function findContainerId(mounts: string): string | undefined {
  return / \/\S*\/(?:overlay-)?containers\/([0-9a-f]{64})\/\S+ \/etc\/(?:hostname|hosts|resolv\.conf) /.exec(
    mounts,
  )?.[1]
}

/**
 * Returns the container of the same engine that this process runs in, if any. From then on, the holders of this process
 * name it in records: when the container is gone, so are its processes.
 */
export async function findOwnContainer(runtime: Runtime, options: CallOptions): Promise<ContainerSummary | undefined> {
  const id = findContainerId(await readFile('/proc/self/mountinfo', 'utf8').catch(() => ''))
  const container = id === undefined ? undefined : await inspect(id, runtime, options)
  if (container !== undefined) noteContainer(container.id)
  return container
}

async function inspect(id: string, runtime: Runtime, options: CallOptions): Promise<ContainerSummary | undefined> {
  try {
    return await runtime.inspectServer(id, options)
  } catch (error) {
    if (isFailure(error, 'NOT_FOUND')) return undefined
    throw error
  }
}

/** Fails with PORT_UNREACHABLE for servers whose ports are at a loopback address outside this container. */
export function refuseForeignLoopback({ name, networks }: ContainerSummary, servers: Iterable<Server>): void {
  if (networks.length === 0 || networks.some((network) => network.name === 'host')) return
  const isLoopback = (address = '127.0.0.1'): boolean => address.startsWith('127.') || address === '::1'
  const first = [...servers].find(({ ports }) => ports.some(({ address }) => isLoopback(address)))
  if (first === undefined) return
  const message = `testfleet runs in the container ${name}, which cannot reach the ports of ${first.name}: they are published at the loopback of the engine's machine`
  throw new TestfleetError('PORT_UNREACHABLE', message, {
    server: first.name,
    hint: 'Start that container with `--network host`, or run testfleet outside it.',
  })
}

/** Returns the records, with processes whose container is gone marked as dead. */
export async function markGone(
  records: readonly StoredRecord[],
  runtime: Runtime,
  options: CallOptions,
): Promise<StoredRecord[]> {
  const here = readMachine()
  const containers = new Set(
    records.flatMap((record) => holdersOf(record).flatMap(({ machine }) => machine.container ?? [])),
  )
  containers.delete(here.container ?? '')
  if (containers.size === 0) return [...records]
  const looks = [...containers].map(async (id) => [id, await inspect(id, runtime, options)] as const)
  const gone = new Set(
    (await Promise.all(looks)).flatMap(([id, found]) => (found === undefined || found.state === 'exited' ? [id] : [])),
  )
  return records.map((record) => markRecord(record, gone, here))
}

function holdersOf({ lifetime, lender, change }: StoredRecord): readonly Holder[] {
  const keeper = lifetime.kind === 'lasting' ? undefined : lifetime.keeper
  const ofChange = [change?.by, change?.keeper, change?.undoing?.by]
  return [...(lifetime.holders ?? []), keeper, lender?.by, ...ofChange].filter((one) => one !== undefined)
}

function markRecord(record: StoredRecord, gone: ReadonlySet<string>, here: Machine): StoredRecord {
  const mark = <One extends Holder | undefined>(holder: One): One =>
    gone.has(holder?.machine.container ?? '') ? { ...holder, machine: here, process: nobody } : holder
  const { lifetime, lender, change } = record
  const undoing = change?.undoing && { ...change.undoing, by: mark(change.undoing.by) }
  const marked = {
    ...lifetime,
    ...(lifetime.holders && { holders: lifetime.holders.map(mark) }),
    ...('keeper' in lifetime && { keeper: mark(lifetime.keeper) }),
  } as Lifetime
  return {
    ...record,
    lifetime: marked,
    lender: lender && { ...lender, by: mark(lender.by) },
    change: change && { ...change, by: mark(change.by), keeper: mark(change.keeper), undoing },
  }
}

/** Beyond the highest process id of any system. */
const nobody = { pid: 2 ** 31 - 1, startedAt: '' }
