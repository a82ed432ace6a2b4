import { type ObservedContainer, type ObservedSession, observeSession, stateOf } from '../containers/observe.ts'
import { readSecrets } from '../containers/secrets.ts'
import { findAddresses } from '../endpoints/addresses.ts'
import type { ExportSource } from '../endpoints/environment.ts'
import type { Engine } from '../engine/engine.ts'
import { readPackages } from '../images/debian-packages.ts'
import type { ContainerSummary } from '../model/container.ts'
import type { ServerState } from '../model/events.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { ServerReport, SessionReport } from '../model/running.ts'
import { waitUntilReady } from '../ready/wait-until-ready.ts'
import { describeSubject } from './check-subject.ts'

/** How long a look at a session waits for a server to say that it is ready. */
const LOOK_TIMEOUT_MS = 1000

/** Fails with NO_SESSION when nothing of it is on the engine. */
export async function observeExisting(engine: Engine, session: string, signal: AbortSignal): Promise<ObservedSession> {
  const observed = await observeSession(engine, session, { signal })
  if (observed.servers.size > 0) return observed
  throw noSession(session)
}

export function noSession(session: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `there is no session ${session} on this engine`, {
    hint: 'Start one with `testfleet up`, or name another with --session.',
  })
}

/** The session as it is now. Servers that have just been waited for, `knownReady`, are not probed once more. */
export async function reportSession(
  observed: ObservedSession,
  engine: Engine,
  knownReady: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<SessionReport> {
  const servers = await Promise.all(
    [...observed.servers.values()].map(
      async (server) => [server.name, await reportServer(server, engine, knownReady, signal)] as const,
    ),
  )
  servers.sort(([a], [b]) => (a < b ? -1 : 1))
  return {
    session: observed.session,
    fleet: observed.fleet,
    domain: observed.domain,
    servers: Object.fromEntries(servers),
  }
}

async function reportServer(
  server: ObservedContainer,
  engine: Engine,
  knownReady: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<ServerReport> {
  const { container, spec } = server
  const addresses = findAddresses(container, spec.ports, engine.location.remoteHost)
  const state = knownReady.has(server.name) ? knownState(container) : await probeState(server, engine, signal)
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
  { name, container, spec }: ObservedContainer,
  engine: Engine,
  signal: AbortSignal,
): Promise<ServerState> {
  const state = await stateOf(container, spec, engine, { signal })
  if (state !== 'running') return state
  if (spec.ready.length === 0) return 'ready'
  const subject = describeSubject(name, container, spec, engine)
  try {
    const isCompleted = await waitUntilReady(subject, {
      checks: spec.ready,
      timeoutMs: LOOK_TIMEOUT_MS,
      signal,
      onAnswer() {},
    })
    return isCompleted ? 'completed' : 'ready'
  } catch (error) {
    if (signal.aborted || !isFailure(error)) throw error
    return error.code === 'SERVER_DIED' ? 'stopped' : 'running'
  }
}

/** What the `export` of each server is filled in with. Secrets are read from the containers that have them. */
export async function readExportSources(
  observed: ObservedSession,
  engine: Engine,
  signal: AbortSignal,
): Promise<ExportSource[]> {
  return Promise.all(
    [...observed.servers.values()].map(async ({ name, container, spec }) => {
      const needsSecrets = Object.values(spec.export).some((template) => template.includes('${secret.'))
      return { name, spec, secrets: needsSecrets ? await readSecrets(engine, container.id, { signal }) : new Map() }
    }),
  )
}
