import type { ContainerDetails } from '../model/container.ts'
import { isFailure } from '../model/failures.ts'
import { onAbort } from '../model/on-abort.ts'
import type { ServerRecord } from '../model/session.ts'
import { gone, notRunning } from '../report/refusals.ts'
import { readLife } from '../report/server-state.ts'
import { openSecretReader } from '../servers/secrets.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { openDatabases } from './database.ts'
import {
  type CloseOptions,
  describeLease,
  type Lendable,
  type Lent,
  MOST_WAITING,
  notLentAnyMore,
  tooMany,
} from './lendable.ts'

/** Most databases of one server that are lent at a time. */
const MOST_LENT = 256

/** Lends databases inside the session's own server, each dropped after its lease. */
export function lendDatabases(
  server: string,
  record: ServerRecord,
  { size, parent }: { readonly size: number; readonly parent: StoredRecord },
  tools: Tools,
): Lendable {
  const databases = openDatabases({ server, container: record.container, spec: record }, { size }, tools)
  const lent = new Set<Lent>()
  /** Number of those who have a database, or ask for one. */
  let holders = 0
  const turns = openTurns(server)
  const holder = { server, container: record.container, spec: record }
  const read = async () => {
    const hasSecrets = record.secrets.length > 0
    const secrets = hasSecrets ? await openSecretReader(tools.runtime, tools.host, tools)(holder) : new Map()
    return { secrets, details: await inspectRunning(server, record, tools) }
  }
  let about: ReturnType<typeof read> | undefined
  const stop = new AbortController()
  const empty = Promise.withResolvers<void>()
  const leave = (): void => {
    turns.next()
    holders -= 1
    if (holders === 0 && stop.signal.aborted) empty.resolve()
  }
  const end = (options: CloseOptions = {}): Promise<void> => {
    stop.abort(notLentAnyMore(server, parent.name))
    return databases.close(options)
  }

  return {
    isolation: 'database',
    async take(outer) {
      if (stop.signal.aborted) throw notLentAnyMore(server, parent.name)
      const signal = AbortSignal.any([outer, stop.signal])
      await turns.take(signal)
      holders += 1
      try {
        about ??= read().catch((error: unknown) => {
          // The next lease asks the engine again.
          about = undefined
          throw error
        })
        const { secrets, details } = await about
        const { name, spec } = await databases.take({ signal }).catch(async (error: unknown) => {
          // The console of a server that does not run says little of it.
          if (!signal.aborted) await inspectRunning(server, record, tools)
          throw error
        })
        const described = await describeLease(server, { ...record, ...spec }, details, secrets, parent, tools).catch(
          (error: unknown) => {
            databases.release(name)
            throw error
          },
        )
        const one = { copy: server, database: name, session: parent.name, container: record.container, ...described }
        lent.add(one)
        return one
      } catch (error) {
        leave()
        throw error
      }
    },
    give(one) {
      if (!lent.delete(one)) return
      databases.release(one.database ?? '')
      leave()
    },
    containerEnded(container) {
      // It may be started again, with other ports.
      if (container === record.container) about = undefined
    },
    status: () => ({ size, ready: databases.status().ready, lent: lent.size, waiting: turns.waiting }),
    // The successor drops all databases that it finds.
    async retire() {
      stop.abort(notLentAnyMore(server, parent.name))
      if (holders > 0) await empty.promise
      await end()
    },
    async close(options) {
      empty.resolve()
      await end(options)
    },
  }
}

/** Fails with NOT_RUNNING, or with NOT_FOUND when the container was removed. */
async function inspectRunning(
  server: string,
  record: Pick<ServerRecord, 'container' | 'ready'>,
  { runtime, signal }: Pick<Tools, 'runtime' | 'signal'>,
): Promise<ContainerDetails> {
  try {
    const details = await runtime.inspectServer(record.container, { signal })
    const life = await readLife(details, record, runtime, { signal })
    if (life.state !== 'running') throw notRunning(server, life)
    return details
  } catch (error) {
    throw isFailure(error, 'NOT_FOUND') ? gone(server) : error
  }
}

/** A bounded number of holders at a time: the others wait in line. */
function openTurns(server: string) {
  const waiting: (() => void)[] = []
  let asked = 0
  return {
    get waiting() {
      return waiting.length
    },
    async take(signal: AbortSignal): Promise<void> {
      if (asked < MOST_LENT) {
        asked += 1
        return
      }
      if (waiting.length >= MOST_WAITING) throw tooMany(server)
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const leave = (): void => {
        const at = waiting.indexOf(resolve)
        if (at !== -1) waiting.splice(at, 1)
        reject(signal.reason)
      }
      waiting.push(resolve)
      await promise.finally(onAbort(signal, leave))
    },
    next(): void {
      const waiter = waiting.shift()
      if (waiter === undefined) asked -= 1
      else waiter()
    },
  }
}
