import type { CallOptions } from '../engine/engine.ts'
import { readPackages } from '../images/debian-packages.ts'
import type { ContainerSummary } from '../model/container.ts'
import type { ServerState } from '../model/events.ts'
import { isFailure } from '../model/failures.ts'
import type { ServerReport, SessionReport } from '../model/running.ts'
import type { ServerSpec, SessionRecord } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import type { Tools } from '../tools.ts'
import { awaitReady } from './await-ready.ts'
import type { ObservedServer, ObservedServers } from './observe.ts'

/** How long a look at a session waits for a server to say that it is ready. */
const LOOK_TIMEOUT_MS = 1000

/** The session as it is now. Servers that have just been waited for, `knownReady`, are not probed again. */
export async function reportSession(
  record: Pick<SessionRecord, 'name' | 'fleet' | 'domain'>,
  observed: ObservedServers,
  knownReady: ReadonlySet<string>,
  tools: Pick<Tools, 'runtime' | 'signal'>,
): Promise<SessionReport> {
  const servers = await Promise.all(
    [...observed.values()].map(async (server) => [server.name, await reportServer(server, knownReady, tools)] as const),
  )
  servers.sort(([a], [b]) => (a < b ? -1 : 1))
  const { name: session, fleet, domain } = record
  return { session, fleet, domain, servers: Object.fromEntries(servers) }
}

async function reportServer(
  server: ObservedServer,
  knownReady: ReadonlySet<string>,
  tools: Pick<Tools, 'runtime' | 'signal'>,
): Promise<ServerReport> {
  const { container, spec } = server
  const addresses = tools.runtime.reach(container, spec.ports)
  const state = knownReady.has(server.name) ? knownState(container) : await probeState(server, tools)
  return {
    state,
    container: container.id,
    image: container.image,
    packages: readPackages(container.labels),
    hostname: spec.hostname,
    ip: addresses.ip,
    endpoints: Object.fromEntries(addresses.endpoints),
  }
}

function knownState(container: ContainerSummary): ServerState {
  return container.state === 'running' ? 'ready' : 'completed'
}

async function probeState(
  { name, container, spec }: ObservedServer,
  tools: Pick<Tools, 'runtime' | 'signal'>,
): Promise<ServerState> {
  const state = await stateOf(container, spec, tools.runtime, tools)
  if (state !== 'running') return state
  if (spec.ready.length === 0) return 'ready'
  const server = { server: name, container: container.id, spec: { ...spec, readyTimeoutMs: LOOK_TIMEOUT_MS } }
  try {
    return (await awaitReady(server, container, tools, tools.signal)) ? 'completed' : 'ready'
  } catch (error) {
    if (tools.signal.aborted || !isFailure(error)) throw error
    return error.code === 'SERVER_DIED' ? 'stopped' : 'running'
  }
}

/** Whether it runs, has ended as an `exit` check demands, or has stopped. Its exit code is asked for only where it decides. */
export async function stateOf(
  container: ContainerSummary,
  { ready }: Pick<ServerSpec, 'ready'>,
  runtime: Runtime,
  options: CallOptions,
): Promise<'running' | 'completed' | 'stopped'> {
  if (container.state === 'running') return 'running'
  const exit = ready.find((check) => check.kind === 'exit')
  if (exit === undefined || container.state !== 'exited') return 'stopped'
  const { exitCode } = await runtime.inspectServer(container.id, { signal: options.signal })
  return exitCode === exit.code ? 'completed' : 'stopped'
}
