import type { ExecProcess, ExecRequest } from './engine/engine.ts'
import { TestfleetError } from './model/failures.ts'
import { unknownServer } from './plan/select-servers.ts'
import { observeExisting } from './session/report.ts'
import type { Tools } from './session/tools.ts'

/** Starts a command in a running server. Fails with NO_SESSION, UNKNOWN_SERVER, SERVER_DIED or COMMAND_NOT_FOUND. */
export async function execInServer(
  session: string,
  server: string,
  request: ExecRequest,
  tools: Tools,
): Promise<ExecProcess> {
  const observed = await observeExisting(tools.engine, session, tools.signal)
  const found = observed.servers.get(server)
  if (found === undefined) throw unknownServer(server, observed.servers.keys())
  if (found.container.state !== 'running') {
    throw new TestfleetError('SERVER_DIED', `${server} does not run`, { server, hint: 'Start it with `testfleet up`.' })
  }
  return tools.engine.exec(found.container.id, request, { signal: tools.signal })
}
