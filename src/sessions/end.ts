import { setTimeout as sleep } from 'node:timers/promises'
import { wordError } from '../formats/word-error.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { type Labels, label } from '../model/labels.ts'
import { noteLater } from '../model/note-later.ts'
import type { Keeper } from '../model/session.ts'
import { say } from '../model/surface.ts'
import type { DependenciesOf } from '../plan/end-order.ts'
import type { Resource, Resources } from '../runtime/runtime.ts'
import { killServers, removeOrphans } from './free-networks.ts'
import { joinKeeper } from './keeper/client.ts'
import { noteStopped } from './note-stopped.ts'
import { dependenciesIn, removeInOrder } from './remove-in-order.ts'
import { stopLender } from './stop-lender.ts'
import type { StoredRecord } from './store.ts'
import { askToEnd } from './taken-down.ts'
import type { SessionTools } from './tools.ts'

export interface CleanOptions {
  /**
   * Pause before the second of two looks that must both find nothing: a request of a dead call may still be on its way
   * to the engine. 0 looks again at once.
   */
  readonly recheckMs: number
  /** Pause before a network is removed again that servers still used. */
  readonly inUsePauseMs?: number | undefined
  /** Called with the servers that are about to be removed, once. */
  readonly onFound?: ((servers: Resources['servers']) => Promise<void>) | undefined
  /** Dependencies of the servers, for those that stop gracefully. Without it, all servers end at the same time. */
  readonly dependenciesOf?: DependenciesOf | undefined
}

/** Longer than a busy engine takes to carry out its last request. Only calls that find dead sessions wait for it. */
export const DEAD_RECHECK_MS = 2000

/** Number of removed objects. */
export interface Removed {
  readonly servers: readonly string[]
  readonly networks: number
  /** Named volumes of the fleet file; anonymous volumes are not counted. */
  readonly volumes: number
}

/**
 * An engine that is shutting down confirms removals that it does not carry out (20.10), and another call may add
 * objects.
 */
const MOST_LOOKS = 20

const IN_USE_PAUSE_MS = 250

/**
 * Removes everything that carries these labels, until nothing is left. Tries all of it before it fails with
 * CLEANUP_FAILED.
 */
export async function removeResources(
  labels: Labels,
  tools: SessionTools,
  { recheckMs, inUsePauseMs = IN_USE_PAUSE_MS, onFound, dependenciesOf = () => [] }: CleanOptions,
): Promise<Removed> {
  const { runtime, signal } = tools
  let removed: Removed = { servers: [], networks: 0, volumes: 0 }
  let quietLooks = 0
  let refusals: readonly unknown[] = []
  for (let look = 0; look < MOST_LOOKS; look += 1) {
    const askedAt = performance.now()
    const found = await runtime.observe(labels, { signal })
    // A slow engine also takes longer to carry out its last request.
    const pauseMs = Math.max(recheckMs, 10 * (performance.now() - askedAt))
    const isNothing = found.servers.length + found.networks.length + found.volumes.length === 0
    quietLooks = isNothing ? quietLooks + 1 : 0
    if (isNothing && (quietLooks === 2 || recheckMs === 0)) return removed
    if (isNothing) {
      await sleep(pauseMs, undefined, { signal })
      continue
    }
    if (removed.servers.length === 0) await onFound?.(found.servers)
    const { inUse, ...now } = await removeFound(found, dependenciesOf, tools)
    removed = add(removed, now)
    refusals = inUse.map(({ refusal }) => refusal)
    if (inUse.length === 0) continue
    await freeNetworks(inUse, tools)
    await sleep(inUsePauseMs, undefined, { signal })
  }
  throw cleanupFailed(refusals.length > 0 ? refusals : [new Error('new objects keep appearing')])
}

interface NetworkInUse {
  readonly network: Resource
  readonly refusal: unknown
}

async function removeFound(
  { servers, networks, volumes }: Resources,
  dependenciesOf: DependenciesOf,
  tools: SessionTools,
): Promise<Removed & { readonly inUse: readonly NetworkInUse[] }> {
  const { runtime, signal, onEvent } = tools
  const inUse: NetworkInUse[] = []
  const errors = await removeInOrder(servers, dependenciesOf, async (server) => {
    signal.throwIfAborted()
    const name = server.labels[label.server]
    if (name !== undefined) onEvent({ kind: 'removing', server: name })
    await runtime.removeServer(server, { signal })
    if (name !== undefined) onEvent({ kind: 'removed', server: name })
  })
  errors.push(
    ...(await collectErrors(
      networks.map(async (network) => {
        try {
          await runtime.removeNetwork(network.id, { signal })
        } catch (refusal) {
          if (!isFailure(refusal, 'ENGINE_REFUSED')) throw refusal
          inUse.push({ network, refusal })
          return
        }
        onEvent({ kind: 'networkRemoved', network: network.name })
      }),
    )),
  )
  errors.push(
    ...(await collectErrors(
      volumes.map(async ({ id, labels }) => {
        await runtime.removeVolume(id, { signal })
        const volume = labels[label.volume]
        if (volume !== undefined) onEvent({ kind: 'volumeRemoved', volume })
      }),
    )),
  )
  signal.throwIfAborted()
  if (errors.length > 0) throw cleanupFailed(errors)
  return {
    servers: servers.flatMap(({ labels }) => labels[label.server] ?? []),
    networks: networks.length - inUse.length,
    volumes: volumes.filter(({ labels }) => labels[label.volume] !== undefined).length,
    inUse,
  }
}

/** Removes what may use networks of sessions that end, although it belongs to other sessions. */
async function freeNetworks(inUse: readonly NetworkInUse[], tools: SessionTools): Promise<void> {
  const networks = inUse.map(({ network }) => network)
  for (const { labels } of networks) await endChildren(labels[label.session] ?? '', tools)
  await removeOrphans(networks, tools)
}

function add(one: Removed, other: Removed): Removed {
  return {
    servers: [...one.servers, ...other.servers],
    networks: one.networks + other.networks,
    volumes: one.volumes + other.volumes,
  }
}

/** Waits for all promises and returns the errors of those that failed. */
export async function collectErrors(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const results = await Promise.allSettled(promises)
  return results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []))
}

export function cleanupFailed(given: readonly unknown[], hint = `Run ${say('down')} to try again.`): TestfleetError {
  const errors = given.flatMap((error) =>
    isFailure(error, 'CLEANUP_FAILED') && error.cause instanceof AggregateError ? error.cause.errors : [error],
  )
  const messages = new Set(errors.map(wordError))
  return new TestfleetError('CLEANUP_FAILED', `not everything could be removed: ${[...messages].join('; ')}`, {
    hint,
    cause: new AggregateError(errors),
  })
}

/**
 * Removes everything that a session owns, and its record last, so that an interrupted call leaves a session that can be
 * found. The process that lends its servers ends first, then the sessions of its copies, then its network. Fails with
 * CLEANUP_FAILED after trying everything.
 */
export async function endSession(record: StoredRecord, tools: SessionTools, options: CleanOptions): Promise<Removed> {
  try {
    return await removeSession(record, tools, options)
  } catch (error) {
    throw isFailure(error, 'CLEANUP_FAILED') ? cleanupFailed([error], wayToTryAgain(record)) : error
  }
}

function wayToTryAgain({ name, lifetime }: StoredRecord): string {
  const isKept = lifetime.kind !== 'lasting' && lifetime.keeper !== undefined
  return `Run ${say('down', name)} to try again${isKept ? '; the keeper of the session does so, too' : ''}.`
}

async function removeSession(record: StoredRecord, tools: SessionTools, options: CleanOptions): Promise<Removed> {
  const { sessions, runtime, signal } = tools
  const { id, change, lifetime } = record
  if (record.parent === undefined) {
    await noteLater('waiting until the lender has removed its copies', tools.onEvent, stopLender(record, signal))
    await endChildren(id, tools)
  } else await killServers({ [label.session]: id }, tools)
  const removed = await removeResources({ [label.session]: id }, tools, {
    ...options,
    onFound: (servers) => noteStopped(record, servers, tools),
    dependenciesOf: dependenciesIn(record),
  })
  if (change !== undefined) {
    // Incomplete images, and containers that read them, carry only the change's label.
    await removeResources({ [label.change]: change.id }, tools, { recheckMs: 0 })
    await runtime.removeUnfinishedImages(change.id, { signal })
  }
  await removeSavedImages(id, tools)
  await sessions.remove(id, { signal })
  if (lifetime.kind !== 'lasting') await dismissKeeper(lifetime.keeper)
  return removed
}

/** Ends the sessions that belong to another one, such as its pools: their holders do, as far as they live. */
async function endChildren(id: string, tools: SessionTools): Promise<void> {
  const { sessions } = await tools.sessions.list({ signal: tools.signal })
  const children = sessions.filter(({ parent }) => parent === id)
  const quiet = { ...tools, onEvent() {} }
  const errors = await collectErrors(
    children.map(async (child) => {
      await askToEnd(child.lifetime, tools.signal)
      await endSession(child, quiet, { recheckMs: 0 })
    }),
  )
  tools.signal.throwIfAborted()
  if (errors.length > 0) throw cleanupFailed(errors)
}

/** Removes the snapshots of a session, once no server uses them. */
export async function removeSavedImages(session: string, { runtime, signal }: SessionTools): Promise<void> {
  const images = await runtime.listSavedImages(session, { signal })
  const names = images.flatMap(({ id, references }) => (references.length === 0 ? [id] : references))
  const errors = await collectErrors(names.map((name) => runtime.removeImage(name, { signal })))
  signal.throwIfAborted()
  if (errors.length > 0) throw cleanupFailed(errors)
}

/** Ends a keeper that has nothing left to do. */
export async function dismissKeeper(keeper: Keeper | undefined): Promise<void> {
  if (keeper === undefined || keeper.socket === '') return
  const client = await joinKeeper(keeper.socket)
  client?.send({ do: 'end' })
  client?.close()
}

/** Adds a clean-up error to the error that came before it. */
export function withLeftovers(error: unknown, cleanup: unknown): unknown {
  if (!isFailure(error)) return new AggregateError([error, cleanup])
  error.leftovers = (cleanup as Error).message
  return error
}
