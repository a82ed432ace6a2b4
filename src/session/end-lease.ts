import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions, ImageSummary } from '../engine/engine.ts'
import type { ContainerSummary } from '../model/container.ts'
import { label } from '../model/labels.ts'
import { type Lease, readSetAside } from '../model/lease.ts'
import { putBack } from './put-back.ts'
import { removeUnfinishedImages } from './remove-unfinished-images.ts'
import { cleanupFailed, settleAll } from './settle.ts'
import type { Tools } from './tools.ts'

/** Cleaning up has a deadline of its own, as the call's own signal may be what ended it. */
const CLEANUP_TIMEOUT_MS = 60_000

export interface EndOptions {
  readonly isKept: boolean
  /** How long to wait before each further look: what was asked for by a call that died may still be under way. */
  readonly settleMs?: number
}

export interface EndedLease {
  readonly servers: readonly string[]
  readonly networks: number
  readonly volumes: number
  /** Servers that were set aside, and are back. */
  readonly back: readonly string[]
}

/**
 * Ends a lease: what was made under it goes, what was set aside comes back, and last the lease itself. With `isKept`,
 * what was made stays, and what was set aside goes. All of it is tried; fails with CLEANUP_FAILED, and leaves the lease
 * for another try, if something could not be removed.
 */
export async function endLease(
  lease: Pick<Lease, 'id' | 'session' | 'kind' | 'volume'>,
  { isKept, settleMs }: EndOptions,
  tools: Tools,
): Promise<EndedLease> {
  const { engine } = tools
  const options = { signal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS) }
  const made = isKept ? nothing : await findMade(lease, tools, options)
  const errors = await removeMade(made, tools, options)
  for (let isSettled = isKept; !isSettled && errors.length === 0; ) {
    await sleep(settleMs ?? 0)
    const late = await findMade(lease, tools, options)
    isSettled = Object.values(late).flat().length === 0
    errors.push(...(await removeMade(late, tools, options)))
  }
  const aside = lease.kind === 'work' ? await findSetAside(lease, tools, options) : []
  if (isKept) errors.push(...(await settleAll(aside.map(({ id }) => engine.removeContainer(id, options)))))
  if (errors.length > 0) throw cleanupFailed(errors)
  const notBack = isKept ? [] : await putBack(aside, { ...tools, signal: options.signal })
  await engine.removeVolume(lease.volume, options)
  // What does not come back now will not come back at the next try either: it is there under its name, to be looked at.
  if (notBack.length > 0)
    throw cleanupFailed(notBack, 'Its log says more: testfleet logs; `testfleet up` starts it anew.')
  return {
    servers: made.containers.map(({ labels, name }) => labels[label.server] ?? name),
    networks: made.networks.length,
    volumes: made.volumes.length,
    back: isKept ? [] : aside.map(({ labels, name }) => labels[label.server] ?? name),
  }
}

async function removeMade(made: MadeUnder, { engine }: Tools, options: CallOptions): Promise<unknown[]> {
  return [
    ...(await settleAll(made.containers.map(({ id }) => engine.removeContainer(id, options)))),
    ...(await settleAll(made.networks.map((id) => engine.removeNetwork(id, options)))),
    ...(await settleAll(made.volumes.map((name) => engine.removeVolume(name, options)))),
    ...(await removeUnfinishedImages(made.images, engine, options)),
  ]
}

interface MadeUnder {
  readonly containers: readonly ContainerSummary[]
  readonly networks: readonly string[]
  readonly volumes: readonly string[]
  /** They were not finished. */
  readonly images: readonly ImageSummary[]
}

const nothing: MadeUnder = { containers: [], networks: [], volumes: [], images: [] }

/** Asked of the engine: an answer that told of something new may have been lost. */
async function findMade(
  { id, session, kind, volume: own }: Pick<Lease, 'id' | 'session' | 'kind' | 'volume'>,
  { engine }: Tools,
  options: CallOptions,
): Promise<MadeUnder> {
  const wanted = kind === 'time' ? { [label.session]: session } : { [label.lease]: id }
  const [containers, networks, volumes, images] = await Promise.all([
    engine.listContainers(wanted, options),
    engine.listNetworks(wanted, options),
    engine.listVolumes(wanted, options),
    engine.listImages(wanted, options),
  ])
  return {
    containers,
    networks: networks.map((network) => network.id),
    volumes: volumes.map(({ name }) => name).filter((name) => name !== own),
    images,
  }
}

async function findSetAside(
  { id, session }: Pick<Lease, 'id' | 'session'>,
  { engine }: Tools,
  options: CallOptions,
): Promise<readonly ContainerSummary[]> {
  const containers = await engine.listContainers({ [label.session]: session }, options)
  return containers.filter(({ name }) => readSetAside(name)?.lease === id)
}
