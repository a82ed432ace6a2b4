import type { Endpoint } from './model/running.ts'
import { unknownServer } from './model/unknown-server.ts'
import { gone, notRunning } from './report/refusals.ts'
import { observeServers } from './report/report.ts'
import { readLife } from './report/server-state.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'

/**
 * Returns where the published ports of a server are reached, by `<port>/<protocol>`, without asking its ready checks. Fails
 * with UNKNOWN_SERVER, NOT_FOUND or NOT_RUNNING.
 */
export async function readEndpoints(
  record: StoredRecord,
  server: string,
  tools: Pick<Tools, 'runtime' | 'signal'>,
): Promise<Readonly<Record<string, Endpoint>>> {
  if (!Object.hasOwn(record.servers, server)) throw unknownServer(server, Object.keys(record.servers))
  const found = (await observeServers(record, tools.runtime, tools)).get(server)
  if (found === undefined) throw gone(server)
  const life = await readLife(found.container, found.spec, tools.runtime, tools)
  if (life.state !== 'running' && life.state !== 'paused') throw notRunning(server, life)
  return Object.fromEntries(tools.runtime.reach(found.container, found.spec.ports).endpoints)
}
