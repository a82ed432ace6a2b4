import type { ExecProcess, ExecRequest } from './engine/engine.ts'
import { unknownServer } from './model/unknown-server.ts'
import { checkCommandList } from './report/command-list.ts'
import { gone, notRunning, refuseExternal } from './report/refusals.ts'
import { type ObservedServer, observeServers } from './report/report.ts'
import { readLife } from './report/server-state.ts'
import { openSecretReader } from './servers/secrets.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'

/** Starts a command in a running server. Fails with USAGE, UNKNOWN_SERVER, NOT_RUNNING or COMMAND_NOT_FOUND. */
export async function execInServer(
  record: StoredRecord,
  server: string,
  request: ExecRequest,
  tools: Tools,
): Promise<ExecProcess> {
  checkCommandList(request.command)
  const observed = await observeServers(record, tools.runtime, tools)
  const found = observed.get(server)
  if (found === undefined && Object.hasOwn(record.servers, server)) throw gone(server)
  if (found === undefined) throw unknownServer(server, observed.keys())
  refuseExternal(server, found.spec, 'exec')
  const life = await readLife(found.container, found.spec, tools.runtime, tools)
  // The engine would refuse it in words of its own.
  if (life.state !== 'running') throw notRunning(server, life)
  const environment = { ...(await fillEnvironment(server, found, tools)), ...request.environment }
  return tools.runtime.exec(found.container.id, { ...request, environment }, { signal: tools.signal })
}

/** The server's `execEnvironment`. Its secrets are on the engine for as long as the command runs. */
async function fillEnvironment(
  server: string,
  { container, spec }: ObservedServer,
  { runtime, host, signal }: Tools,
): Promise<Record<string, string>> {
  const { execEnvironment = {} } = spec
  const values = Object.entries(execEnvironment)
  if (values.length === 0) return {}
  const readSecrets = openSecretReader(runtime, host, { signal })
  const secrets = values.some(([, { kind }]) => kind === 'secret')
    ? await readSecrets({ server, container: container.id, spec })
    : undefined
  return Object.fromEntries(
    values.map(([name, value]) => [name, value.kind === 'text' ? value.text : (secrets?.get(value.secret) ?? '')]),
  )
}
