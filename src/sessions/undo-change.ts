import { wordError } from '../formats/word-error.ts'
import type { ContainerState } from '../model/container.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { label } from '../model/labels.ts'
import type { Operation, OperationOf } from '../model/plan.ts'
import type { SessionRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import { carryOut, type Handlers } from '../plan/carry-out.ts'
import { planUndo } from '../plan/undo.ts'
import { type StoppableServer, stopsGracefully, stopTimeOf } from '../runtime/runtime.ts'
import { type CleanOptions, cleanupFailed, collectErrors, endSession, type Removed, removeResources } from './end.ts'
import { mergeLifetime } from './holders.ts'
import type { StoredRecord } from './store.ts'
import type { ServerToAwait, SessionTools } from './tools.ts'

export interface UndoOptions extends CleanOptions {
  /** Waits until a server that was put back is ready; without it, the server only has to start. */
  awaitReady?(server: ServerToAwait, signal: AbortSignal): Promise<unknown>
  /** Whether no later call tries again: a server that cannot be started is then given up. */
  readonly isLastTry?: boolean
}

export interface Undone extends Removed {
  /** Names of the servers that were put back. */
  readonly back: readonly string[]
}

/**
 * Undoes a change that cannot be completed: removes what it created, and puts back what it set aside. A change that was
 * already saved is completed instead, by removing what it replaced. If it was the session's first change, the session
 * is removed.
 *
 * Fails with CLEANUP_FAILED after trying everything. The change then stays in the record, so that the keeper and later
 * calls try again. There are two exceptions, because another try would not help: a server that starts and then fails,
 * and, with `isLastTry`, a server that does not start.
 */
export async function undoChange(record: StoredRecord, tools: SessionTools, options: UndoOptions): Promise<Undone> {
  const { change } = record
  if (change === undefined) return nothingUndone
  if (change.isFirst && change.stage === 'making') return { ...(await endSession(record, tools, options)), back: [] }
  const tried =
    change.stage === 'settling' ? await removeReplaced(record, tools) : await takeBack(record, tools, options)
  const { undone, notRemoved, notStarted, notReady } = tried
  if (notRemoved.length > 0 || (notStarted.length > 0 && options.isLastTry !== true)) {
    throw cleanupFailed([...notRemoved, ...notStarted])
  }
  const isForgotten = await forgetChange(record, tools)
  const notBack = [...notStarted, ...notReady]
  // If the session was removed meanwhile, so were its servers.
  if (notBack.length === 0 || !isForgotten) return undone
  throw cleanupFailed(notBack, `Run ${say('logs')} to see why, and ${say('up')} to start it again.`)
}

export const nothingUndone: Undone = { servers: [], networks: 0, volumes: 0, back: [] }

interface Tried {
  readonly undone: Undone
  /** Errors of objects that could not be removed. */
  readonly notRemoved: readonly unknown[]
  readonly notStarted: readonly unknown[]
  readonly notReady: readonly unknown[]
}

/** Removes the servers that a successful change has replaced. */
async function removeReplaced({ change }: StoredRecord, { runtime, signal }: SessionTools): Promise<Tried> {
  const notRemoved = await collectErrors(
    (change?.replaced ?? []).map(({ container: id }) =>
      runtime.removeServer({ id, labels: {}, state: 'exited' }, { signal }),
    ),
  )
  return { undone: nothingUndone, notRemoved, notStarted: [], notReady: [] }
}

async function takeBack(record: StoredRecord, tools: SessionTools, options: UndoOptions): Promise<Tried> {
  const { runtime, signal, onEvent } = tools
  const { change } = record
  if (change === undefined) throw new Error('there is no change to take back')
  const created = await runtime.observe({ [label.change]: change.id }, { signal })
  const servers = await runtime.listServers({ [label.session]: record.id }, { signal })
  const plan = planUndo(record.name, change, created, record.servers, servers.filter(stopsGracefully))
  const byId = new Map(created.servers.map((server) => [server.id, server]))
  const back: string[] = []
  const notReady: unknown[] = []
  const handlers: Partial<Handlers> = {
    async removeServer({ server: name, container }: OperationOf<'removeServer'>) {
      const server = byId.get(container)
      if (server === undefined) return
      await runtime.removeServer(server, { signal })
      onEvent({ kind: 'removed', server: name })
    },
    async removeNetwork({ network }) {
      await runtime.removeNetwork(network, { signal })
      onEvent({ kind: 'networkRemoved', network: created.networks.find(({ id }) => id === network)?.name ?? network })
    },
    async removeVolume({ volume: id }) {
      await runtime.removeVolume(id, { signal })
      const volume = created.volumes.find((one) => one.id === id)?.labels[label.volume]
      if (volume !== undefined) onEvent({ kind: 'volumeRemoved', volume })
    },
    async haltServer({ server, container, wasPaused }) {
      const halt = wasPaused
        ? runtime.pauseServer(container, { signal })
        : runtime.stopServer(
            servers.find(({ id }) => id === container) ?? { id: container, labels: {}, state: 'running' },
            { signal },
          )
      await halt.then(
        () => onEvent({ kind: wasPaused ? 'paused' : 'stopped', server }),
        (error: unknown) => {
          // It has ended by itself, or was never resumed.
          if (!isFailure(error, 'NOT_FOUND') && !isFailure(error, 'ENGINE_REFUSED')) throw error
        },
      )
    },
    async putBack({ server, container }) {
      try {
        await runtime.startServer(container, { signal })
      } catch (error) {
        // Somebody has removed it.
        if (isFailure(error, 'NOT_FOUND')) return
        // It was paused and has not been stopped.
        if ((await findState(container, tools)) !== 'paused') throw notPutBack(server, error)
      }
      back.push(server)
      onEvent({ kind: 'started', server })
    },
    async awaitReady({ server }) {
      const spec = record.servers[server]
      if (spec === undefined || options.awaitReady === undefined || !back.includes(server)) return
      await options.awaitReady({ server, container: spec.container, spec }, signal).catch(async (error: unknown) => {
        if ((await findState(spec.container, tools)) !== 'gone') notReady.push(notPutBack(server, error))
      })
    },
  }
  const failures = await carryOut(plan, handlers, { signal, onFailure: 'continue' })
  const errorsOf = (isStart: boolean): unknown[] =>
    failures.filter(({ operation }) => (operation.kind === 'putBack') === isStart).map(({ error }) => error)
  const watched = servers.filter(({ id, state }) => state === 'running' && plan.operations.some(putsBack(id)))
  const [notGone, notRestarted] = await Promise.all([
    collectErrors([removeRest(change.id, tools, options)]),
    collectErrors(watched.map((server) => watch(server, tools, options))),
  ])
  const undone = {
    servers: created.servers.flatMap(({ labels }) => labels[label.server] ?? []),
    networks: created.networks.length,
    volumes: created.volumes.filter(({ labels }) => labels[label.volume] !== undefined).length,
    back,
  }
  const notRemoved = [...errorsOf(false), ...notGone]
  return { undone, notRemoved, notStarted: [...errorsOf(true), ...notRestarted], notReady }
}

function putsBack(id: string): (operation: Operation) => boolean {
  return (operation) => operation.kind === 'putBack' && operation.container === id
}

/**
 * Watches a server that was found running, because a stop requested by the dead call may still be on its way. If it
 * ends, starts it again.
 */
async function watch(server: StoppableServer, tools: SessionTools, { recheckMs }: CleanOptions): Promise<void> {
  if (recheckMs === 0) return
  const { runtime, signal } = tools
  const patience = AbortSignal.timeout(recheckMs + stopTimeOf(server))
  try {
    await runtime.waitServer(server.id, { signal: AbortSignal.any([signal, patience]) })
  } catch (error) {
    if (patience.aborted || isFailure(error, 'NOT_FOUND')) return
    throw error
  }
  await runtime.startServer(server.id, { signal }).catch((error: unknown) => {
    if (!isFailure(error, 'NOT_FOUND')) throw error
  })
}

/** Undefined when the engine does not tell. */
async function findState(
  container: string,
  { runtime, signal }: SessionTools,
): Promise<ContainerState | 'gone' | undefined> {
  try {
    return (await runtime.inspectServer(container, { signal })).state
  } catch (error) {
    return isFailure(error, 'NOT_FOUND') ? 'gone' : undefined
  }
}

/** Removes objects that appeared since the last look, and incomplete images. */
async function removeRest(change: string, tools: SessionTools, { recheckMs }: CleanOptions): Promise<void> {
  const quiet = { ...tools, onEvent() {} }
  await removeResources({ [label.change]: change }, quiet, { recheckMs })
  await tools.runtime.removeUnfinishedImages(change, { signal: tools.signal })
}

/** Restores the record from before the change, whatever its call has stored since. False when the change is gone. */
async function forgetChange(record: StoredRecord, { sessions, signal }: SessionTools): Promise<boolean> {
  const { id, fleet, domain, servers, change, lifetime } = record
  const asBefore = (now: StoredRecord): SessionRecord | undefined =>
    now.change?.id === change?.id
      ? {
          ...now,
          fleet,
          domain,
          servers,
          lifetime: mergeLifetime(now.lifetime, lifetime),
          change: undefined,
        }
      : undefined
  return (await sessions.update(id, asBefore, { signal })) !== undefined
}

function notPutBack(server: string, cause: unknown): TestfleetError {
  const message = `${server}, which was replaced, could not be put back: ${wordError(cause)}`
  return new TestfleetError('CLEANUP_FAILED', message, { server, cause })
}
