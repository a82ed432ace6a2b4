import { wordError } from '../formats/word-error.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { label } from '../model/labels.ts'
import type { Operation, OperationOf } from '../model/plan.ts'
import { carryOut, type Handlers } from '../plan/carry-out.ts'
import { planUndo } from '../plan/undo.ts'
import { graceOf, type StoppableServer } from '../runtime/runtime.ts'
import type { StoredRecord } from './record.ts'
import { type CleanOptions, cleanupFailed, type Removed, removeResources, settleAll } from './remove.ts'
import type { ServerToAwait, SessionTools } from './tools.ts'

export interface UndoOptions extends CleanOptions {
  /** Waits until a server that was put back is ready; without it, it only has to start. */
  awaitReady?(server: ServerToAwait, signal: AbortSignal): Promise<unknown>
}

export interface Undone extends Removed {
  /** Servers that had been set aside and run again. */
  readonly back: readonly string[]
}

/**
 * Ends a change that cannot be completed: what it created goes, and what it set aside comes back. If only the removal of
 * what it replaced was left, that is done. Fails with CLEANUP_FAILED, once all has been tried, and leaves the change in
 * the record so that the keeper and every later call try again; except for a server that starts and then fails, which
 * no further try would help.
 */
export async function undoChange(record: StoredRecord, tools: SessionTools, options: UndoOptions): Promise<Undone> {
  const { change } = record
  if (change === undefined) return { servers: [], networks: 0, volumes: 0, back: [] }
  const tried = change.stage === 'settling' ? await settle(record, tools) : await takeBack(record, tools, options)
  if (tried.errors.length > 0) throw cleanupFailed(tried.errors)
  await forgetChange(record, tools)
  if (tried.notBack.length > 0) {
    throw cleanupFailed(tried.notBack, 'Its log says more: testfleet logs; `testfleet up` starts it again.')
  }
  return tried.undone
}

interface Tried {
  readonly undone: Undone
  /** What may succeed at the next try. */
  readonly errors: readonly unknown[]
  readonly notBack: readonly unknown[]
}

/** Removes what a change that succeeded had set aside. */
async function settle({ change }: StoredRecord, { runtime, signal }: SessionTools): Promise<Tried> {
  const errors = await settleAll(
    (change?.replaced ?? []).map(({ container: id }) =>
      runtime.removeServer({ id, labels: {}, state: 'exited' }, { signal }),
    ),
  )
  return { undone: { servers: [], networks: 0, volumes: 0, back: [] }, errors, notBack: [] }
}

async function takeBack(record: StoredRecord, tools: SessionTools, options: UndoOptions): Promise<Tried> {
  const { runtime, signal } = tools
  const { change } = record
  if (change === undefined) throw new Error('there is no change to take back')
  const created = await runtime.observe({ [label.change]: change.id }, { signal })
  const servers = await runtime.listServers({ [label.session]: record.id }, { signal })
  const plan = planUndo(record.name, change, created, record.servers)
  const byId = new Map(created.servers.map((server) => [server.id, server]))
  const back: string[] = []
  const notBack: unknown[] = []
  const handlers: Partial<Handlers> = {
    async removeServer({ container }: OperationOf<'removeServer'>) {
      const server = byId.get(container)
      if (server !== undefined) await runtime.removeServer(server, { signal })
    },
    removeNetwork: ({ network }) => runtime.removeNetwork(network, { signal }),
    removeVolume: ({ volume }) => runtime.removeVolume(volume, { signal }),
    async putBack({ server, container }) {
      await runtime.startServer(container, { signal }).catch((error: unknown) => {
        // Somebody has removed it by hand since.
        if (!isFailure(error, 'NOT_FOUND')) throw notPutBack(server, error)
      })
      back.push(server)
    },
    async awaitReady({ server }) {
      const spec = record.servers[server]
      if (spec === undefined || options.awaitReady === undefined) return
      await options.awaitReady({ server, container: spec.container, spec }, signal).catch((error: unknown) => {
        notBack.push(notPutBack(server, error))
      })
    },
  }
  const failures = await carryOut(plan, handlers, { signal, onFailure: 'continue' })
  const errors: unknown[] = failures.map(({ error }) => error)
  if (errors.length === 0) {
    const watched = servers.filter(({ id, state }) => state === 'running' && plan.operations.some(puts(id)))
    const rest = [removeRest(change.id, tools, options), ...watched.map((server) => watch(server, tools, options))]
    errors.push(...(await settleAll(rest)))
  }
  const undone = {
    servers: created.servers.flatMap(({ labels }) => labels[label.server] ?? []),
    networks: created.networks.length,
    volumes: created.volumes.filter(({ labels }) => labels[label.volume] !== undefined).length,
    back,
  }
  return { undone, errors, notBack }
}

function puts(id: string): (operation: Operation) => boolean {
  return (operation) => operation.kind === 'putBack' && operation.container === id
}

/** Starts a server again that was found running, if it then ends: the call that died may just have asked for that. */
async function watch(server: StoppableServer, tools: SessionTools, { settleMs }: CleanOptions): Promise<void> {
  if (settleMs === 0) return
  const { runtime, signal } = tools
  const patience = AbortSignal.timeout(settleMs + graceOf(server))
  try {
    await runtime.waitServer(server.id, { signal: AbortSignal.any([signal, patience]) })
  } catch (error) {
    if (patience.aborted || isFailure(error, 'NOT_FOUND')) return
    throw error
  }
  await runtime.startServer(server.id, { signal })
}

/** What came since the look, and images that were not completed. */
async function removeRest(change: string, tools: SessionTools, { settleMs }: CleanOptions): Promise<void> {
  const quiet = { ...tools, onEvent() {} }
  await removeResources({ [label.change]: change }, quiet, { settleMs })
  await tools.runtime.removeUnfinishedImages(change, { signal: tools.signal })
}

/** A session that the change was to begin goes with it. */
async function forgetChange(record: StoredRecord, { runtime, sessions, signal }: SessionTools): Promise<void> {
  if (Object.keys(record.servers).length === 0) {
    const { servers, networks, volumes } = await runtime.observe({ [label.session]: record.id }, { signal })
    if (servers.length + networks.length + volumes.length === 0) return sessions.remove(record.id, { signal })
  }
  const { fleet, domain, servers, change } = record
  await sessions.update(
    record.id,
    (current) => {
      if (current.change?.id !== change?.id) return undefined
      // The call may have stored what it made of the session after this one was read.
      const lifetime = current.lifetime.kind === 'held' ? current.lifetime : record.lifetime
      return { ...current, fleet, domain, servers, lifetime, change: undefined }
    },
    { signal },
  )
}

function notPutBack(server: string, cause: unknown): TestfleetError {
  const message = `${server}, which was replaced, could not be put back: ${wordError(cause)}`
  return new TestfleetError('CLEANUP_FAILED', message, { server, cause })
}
