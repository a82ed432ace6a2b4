import { type Labels, label } from '../model/labels.ts'
import type { SessionTools } from './tools.ts'

interface Network {
  readonly id: string
  readonly name: string
}

/** Removes servers on these networks that have outlived their session: a request of a killed process may start one late. */
export async function removeOrphans(networks: readonly Network[], tools: SessionTools): Promise<void> {
  const { runtime, sessions, signal } = tools
  const [servers, records] = await Promise.all([
    runtime.listServers({ [label.session]: '' }, { signal }),
    sessions.list({ signal }),
  ])
  const known = new Set([...records.sessions, ...records.unreadable].map(({ id }) => id))
  const orphans = servers.filter(
    ({ labels, networks: joined }) =>
      !known.has(labels[label.session] ?? '') &&
      // Until it has started, a container knows only the network's name.
      joined.some((one) => networks.some(({ id, name }) => one.networkId === id || one.name === name)),
  )
  // One that stays keeps its network, which is then reported.
  await Promise.allSettled(orphans.map((server) => runtime.removeServer(server, { signal })))
}

/** Ends the servers of a session at once: nothing in them is of use to anyone. */
export async function killServers(labels: Labels, { runtime, signal }: SessionTools): Promise<void> {
  const servers = await runtime.listServers(labels, { signal })
  await Promise.allSettled(servers.map(({ id }) => runtime.killServer(id, 'SIGKILL', { signal })))
}
