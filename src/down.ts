import { type ObservedContainer, observeSession } from './containers/observe.ts'
import { removeContainer } from './containers/remove-container.ts'
import { unknownServer } from './plan/select-servers.ts'
import { dismissLease } from './session/dismiss-lease.ts'
import { observeExisting } from './session/report.ts'
import { cleanupFailed, settleAll } from './session/settle.ts'
import type { Tools } from './session/tools.ts'

export interface Removed {
  readonly session: string
  readonly servers: readonly string[]
  readonly networks: number
  readonly volumes: number
}

/** Removes all that carries the session's label: containers, then networks and volumes. All of it is tried; CLEANUP_FAILED if some stays. */
export async function down(session: string, tools: Tools): Promise<Removed> {
  let all: Removed = { session, servers: [], networks: 0, volumes: 0 }
  // Looked at again until it is gone: something may be on its way, and an engine that is just ending says what it then
  // does not do (20.10).
  for (let look = 0; look < MOST_LOOKS; look++) {
    const { servers, networks, volumes } = await removeSession(session, tools)
    if (servers.length + networks + volumes === 0) break
    all = {
      session,
      servers: [...all.servers, ...servers],
      networks: all.networks + networks,
      volumes: all.volumes + volumes,
    }
  }
  return all
}

const MOST_LOOKS = 5

async function removeSession(session: string, tools: Tools): Promise<Removed> {
  const { engine, signal } = tools
  const observed = await observeSession(engine, session, { signal })
  const servers = [...observed.servers.values()]
  const errors = await settleAll([
    ...servers.map((server) => removeServer(server, 'the session ends', tools)),
    ...observed.setAside.map(({ id }) => engine.removeContainer(id, { signal })),
  ])
  errors.push(...(await settleAll(observed.networks.map((id) => engine.removeNetwork(id, { signal })))))
  errors.push(...(await settleAll(observed.volumes.map((name) => engine.removeVolume(name, { signal })))))
  // A call that is at work on the session finds out, and sees to its own lease.
  const leases = observed.leases.filter(({ kind }) => kind !== 'work')
  if (errors.length === 0) errors.push(...(await settleAll(leases.map((lease) => dismissLease(lease, tools)))))
  signal.throwIfAborted()
  if (errors.length > 0) throw cleanupFailed(errors)
  return {
    session,
    servers: servers.map(({ name }) => name),
    networks: observed.networks.length,
    volumes: observed.volumes.length,
  }
}

/** Removes some servers of a session, and leaves the rest. Fails with NO_SESSION or UNKNOWN_SERVER before anything is touched. */
export async function removeServers(session: string, names: readonly string[], tools: Tools): Promise<Removed> {
  const observed = await observeExisting(tools.engine, session, tools.signal)
  const chosen = names.map((name) => {
    const server = observed.servers.get(name)
    if (server === undefined) throw unknownServer(name, observed.servers.keys())
    return server
  })
  const errors = await settleAll(chosen.map((server) => removeServer(server, 'asked for', tools)))
  tools.signal.throwIfAborted()
  if (errors.length > 0) throw cleanupFailed(errors)
  return { session, servers: chosen.map(({ name }) => name), networks: 0, volumes: 0 }
}

async function removeServer({ name, container, spec }: ObservedContainer, reason: string, tools: Tools): Promise<void> {
  const { engine, signal, onEvent } = tools
  onEvent({ kind: 'removing', server: name, reason })
  await removeContainer(engine, container.id, spec.stopSignal, { signal })
  onEvent({ kind: 'removed', server: name })
}
