import type { ServerRecord } from '../model/session.ts'
import { openSecretReader } from '../servers/secrets.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { openDatabases } from './database.ts'
import { describeLease, type Lendable, type Lent, MOST_WAITING, notLentAnyMore, tooMany } from './lendable.ts'

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
  const dropping = new Set<Promise<void>>()
  const waiting: (() => void)[] = []
  let asked = 0
  const holder = { server, container: record.container, spec: record }
  const about = (async () => {
    const hasSecrets = record.secrets.length > 0
    const secrets = hasSecrets ? await openSecretReader(tools.runtime, tools.host, tools)(holder) : new Map()
    return { secrets, details: await tools.runtime.inspectServer(record.container, tools) }
  })()
  about.catch(() => {})
  const stop = new AbortController()

  async function turn(signal: AbortSignal): Promise<void> {
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
    signal.addEventListener('abort', leave, { once: true })
    await promise.finally(() => signal.removeEventListener('abort', leave))
  }

  const next = (): void => {
    const waiter = waiting.shift()
    if (waiter === undefined) asked -= 1
    else waiter()
  }

  return {
    isolation: 'database',
    async take(outer) {
      if (stop.signal.aborted) throw notLentAnyMore(server, parent.name)
      const signal = AbortSignal.any([outer, stop.signal])
      await turn(signal)
      try {
        const { secrets, details } = await about
        const { name, spec } = await databases.take({ signal })
        const described = await describeLease(server, { ...record, ...spec }, details, secrets, parent, tools)
        const one = { copy: server, database: name, session: parent.name, container: record.container, ...described }
        lent.add(one)
        return one
      } catch (error) {
        next()
        throw error
      }
    },
    give(one) {
      if (!lent.delete(one)) return
      next()
      const drop: Promise<void> = databases
        .release(one.database ?? '')
        .catch(() => {})
        .finally(() => dropping.delete(drop))
      dropping.add(drop)
    },
    containerEnded() {},
    status: () => ({ size, ready: Math.max(0, size - dropping.size), lent: lent.size, waiting: waiting.length }),
    async close() {
      stop.abort(notLentAnyMore(server, parent.name))
      await Promise.all(dropping)
      await databases.close()
    },
  }
}
