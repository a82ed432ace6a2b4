import { hostname } from 'node:os'
import type { OnEvent } from '../model/events.ts'
import type { Host } from '../model/host.ts'
import type { NamedServer } from '../model/running.ts'
import { chooseNaming, findOwnProxy, type NameWay, toProxyVariables, wordNaming } from './choose-naming.ts'
import { toHostsEntries } from './hosts-file.ts'
import { findMountRights, type Obstacle } from './mount-rights.ts'
import type { Namespace } from './namespace.ts'
import { toRoutes } from './route.ts'
import type { Program } from './run-program.ts'

/** What a command needs so that the names of the servers lead to them. */
interface GivenNames {
  readonly variables: Readonly<Record<string, string>>
  /** Returns the program to start in place of `program`. `foundAs` is the name by which its environment finds it. */
  inside(program: Program, foundAs: string): Program
  /** Call it once the command has ended. */
  close(): void
}

interface Surroundings {
  readonly host: Host
  readonly signal: AbortSignal
  readonly onEvent: OnEvent
}

const nothing: GivenNames = { variables: {}, inside: (program) => program, close() {} }

/** Gives a command the names in the wanted way, or in the best one that there is; then an event says what is missing. */
export async function giveNames(
  wanted: NameWay,
  servers: readonly NamedServer[],
  environment: Host['environment'],
  surroundings: Surroundings,
): Promise<GivenNames> {
  const [first] = servers
  if (first === undefined) return nothing
  const ownProxy = findOwnProxy(environment)
  const isDirect = servers.every(({ address }) => address !== undefined)
  const mayOpen = isDirect && (wanted === 'auto' || wanted === 'namespace')
  const opened = mayOpen ? await tryNamespace(servers, surroundings) : undefined
  const obstacle = opened !== undefined && 'obstacle' in opened ? opened.obstacle : undefined
  const naming = chooseNaming(wanted, { isDirect, obstacle, ownProxy })
  const message = wordNaming(naming, first.names[0] ?? first.server, ownProxy)
  if (message !== undefined && wanted === 'auto') surroundings.onEvent({ kind: 'warned', message })
  if (opened !== undefined && !('obstacle' in opened)) return { ...opened, variables: {} }
  return naming.kind === 'proxy' ? giveByProxy(servers, environment, naming.hasProxy, surroundings) : nothing
}

type Servers = readonly NamedServer[]

async function tryNamespace(servers: Servers, { host, signal }: Surroundings): Promise<Namespace | Obstacle> {
  const rights = await findMountRights(host)
  if ('obstacle' in rights) return rights
  const { openNamespace } = await import('./namespace.ts')
  return openNamespace(toHostsEntries(servers, hostname()), rights, host, signal)
}

async function giveByProxy(
  servers: Servers,
  environment: Host['environment'],
  hasProxy: boolean,
  { host, signal }: Surroundings,
): Promise<GivenNames> {
  const routes = toRoutes(servers)
  const proxy = hasProxy ? await (await import('./proxy.ts')).openProxy(routes, signal) : undefined
  const options = [environment.NODE_OPTIONS, `--require ${JSON.stringify(host.nodeHookFile)}`]
  const variables = {
    ...(proxy === undefined ? {} : toProxyVariables(proxy.url, environment)),
    NODE_OPTIONS: options.filter(Boolean).join(' '),
    TESTFLEET_NAMES: JSON.stringify(routes),
  }
  return { variables, inside: (program) => program, close: () => proxy?.close() }
}
