import type { ExecProcess, ExecRequest } from './engine/engine.ts'
import { TestfleetError } from './model/failures.ts'
import { unknownServer } from './plan/reconcile.ts'
import { observeServers } from './report/report.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'

/** Starts a command in a running server. Fails with UNKNOWN_SERVER, SERVER_DIED or COMMAND_NOT_FOUND. */
export async function execInServer(
  record: StoredRecord,
  server: string,
  request: ExecRequest,
  tools: Tools,
): Promise<ExecProcess> {
  const observed = await observeServers(record, tools.runtime, tools)
  const found = observed.get(server)
  if (found === undefined) throw unknownServer(server, observed.keys())
  if (found.container.state !== 'running') {
    throw new TestfleetError('SERVER_DIED', `${server} does not run`, { server, hint: 'Start it with `testfleet up`.' })
  }
  return tools.runtime.exec(found.container.id, request, { signal: tools.signal })
}
