import { hostname } from 'node:os'
import { findOwnProxy, toProxyVariables } from '../formats/proxy-variables.ts'
import type { OnEvent } from '../model/events.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { NamedServer } from '../model/running.ts'
import { readHostsView } from './bound-files.ts'
import { chooseNaming, describeNaming, type NameWay, type Naming } from './choose-naming.ts'
import {
  addToHosts,
  findMisleading,
  leaveMachineNames,
  type Misleading,
  removeFromHosts,
  toHostsEntries,
  withoutSession,
} from './hosts-file.ts'
import { findMountRights, type NamingHost, type Unsupported } from './mount-rights.ts'
import type { Namespace } from './namespace.ts'
import { isOfSession, nodeHookOption, readOuterSession, type SessionNames } from './outer-session.ts'
import { type Routes, toRoutes } from './route.ts'
import type { Program } from './run-program.ts'

/** Environment and view with which a command reaches servers by their names. */
interface GivenNames {
  readonly environment: Host['environment']
  /** Names that work in every program, at a server's own address with all its real ports. */
  readonly names: ReadonlySet<string>
  /** Returns the program to start in place of `program`. `foundAs` is the name by which its environment finds it. */
  inside(program: Program, foundAs: string): Program
  /** Must be called after the command has ended. */
  close(): void
}

interface Surroundings {
  readonly host: NamingHost
  readonly signal: AbortSignal
  readonly onEvent: OnEvent
}

interface NamesRequest {
  readonly wanted: NameWay
  readonly domain: string
  readonly servers: readonly NamedServer[]
  readonly environment: Host['environment']
}

/**
 * Gives a command the names in the wanted way, or in the best available one, with a warning about what does not work.
 * No name of the session leads to a server of an outer session. Fails with NAMES_UNAVAILABLE.
 */
export async function giveNames(request: NamesRequest, surroundings: Surroundings): Promise<GivenNames> {
  const { wanted, domain } = request
  const servers = leaveMachineNames(request.servers, hostname())
  const own: SessionNames = { domain, names: servers.flatMap(({ names }) => names) }
  const outer = readOuterSession(request.environment, own, surroundings.host.nodeHookFile)
  const ownProxy = findOwnProxy(outer.environment)
  const isDirect = servers.every(({ address }) => address !== undefined)
  const hosts = await readHosts(own, servers, outer.routes)
  const mayOpen = isDirect && servers.length > 0 && (wanted === 'auto' || wanted === 'namespace')
  const opened = mayOpen ? await tryNamespace(hosts.complete, surroundings) : undefined
  const isOpen = opened !== undefined && !('unsupportedReason' in opened)
  const naming = chooseNaming(servers.length === 0 ? 'none' : wanted, {
    isDirect,
    unsupportedReason: isOpen ? undefined : opened?.unsupportedReason,
    ownProxy,
  })
  const message = describeNaming(naming, own.names[0] ?? '', ownProxy)
  if (message !== undefined && wanted === 'auto') surroundings.onEvent({ kind: 'warned', message })
  if (isOpen) return { ...opened, environment: outer.environment, names: new Set(own.names) }
  const names = new Set<string>()
  const view = await hideMisleading(naming, hosts, surroundings)
  const isChanged = naming.kind === 'proxy' || outer.isInTheWay
  const environment = isChanged ? outer.environment : request.environment
  if (naming.kind !== 'proxy') return { ...view, environment, names }
  const routes = { ...outer.routes, ...toRoutes(servers) }
  const proxied = await giveByProxy(routes, environment, naming.hasProxy, surroundings)
  const close = (): void => {
    proxied.close()
    view.close()
  }
  return { environment: proxied.environment, names, inside: view.inside, close }
}

/** The contents of /etc/hosts for a command. */
interface Hosts {
  readonly complete: string
  /** File without the names of this session. */
  readonly bare: string
  /** A name of this session that leads elsewhere in the current file; `isOuterSession` says whose file it is. */
  readonly misleading: Misleading | undefined
  readonly isOuterSession: boolean
}

async function readHosts(own: SessionNames, servers: readonly NamedServer[], outer: Routes): Promise<Hosts> {
  const { text, isOuterSession } = await readHostsView()
  const isOwn = (name: string): boolean => isOfSession(name, own)
  const others = isOuterSession ? withoutSession(text, isOwn) : text
  const entries = toHostsEntries(servers, hostname())
  const full = new Set(servers.map(({ names: [name = ''] }) => name))
  return {
    complete: addToHosts(others, [...toHostsEntries(outerServers(outer), hostname()), ...entries]),
    bare: removeFromHosts(others, own.names),
    misleading: findMisleading(text, entries, isOuterSession ? isOwn : (name) => full.has(name)),
    isOuterSession,
  }
}

/** Servers of an outer session with other names, as far as a hosts file can express them. */
function outerServers(routes: Routes): NamedServer[] {
  return Object.entries(routes).flatMap(([name, route]) =>
    'address' in route ? [{ server: name, names: [name], address: route.address, endpoints: {} }] : [],
  )
}

const asItIs: Namespace = { inside: (program) => program, close() {} }

/** Removes names that lead elsewhere, for a command that gets no names in its file. */
async function hideMisleading(naming: Naming, hosts: Hosts, surroundings: Surroundings): Promise<Namespace> {
  const { misleading, isOuterSession } = hosts
  // The machine's own file belongs to its user, who wants no names.
  if (misleading === undefined || (naming.kind === 'none' && !isOuterSession)) return asItIs
  const view = await tryNamespace(hosts.bare, surroundings)
  if (!('unsupportedReason' in view)) return view
  const { name, address } = misleading
  throw new TestfleetError(
    'NAMES_UNAVAILABLE',
    `${name} leads to ${address} in /etc/hosts, which is not in this session, and that cannot be changed, because ${view.unsupportedReason}`,
    { hint: 'Remove the name from /etc/hosts, or run the command outside the other session.' },
  )
}

async function tryNamespace(hosts: string, { host, signal }: Surroundings): Promise<Namespace | Unsupported> {
  const rights = await findMountRights(host)
  if ('unsupportedReason' in rights) return rights
  const { openNamespace } = await import('./namespace.ts')
  return openNamespace(hosts, rights, host, signal)
}

async function giveByProxy(
  routes: Routes,
  environment: Host['environment'],
  hasProxy: boolean,
  { host, signal }: Surroundings,
): Promise<Pick<GivenNames, 'environment' | 'close'>> {
  const proxy = hasProxy ? await (await import('./proxy.ts')).openProxy(routes, signal) : undefined
  const variables = {
    ...(proxy === undefined ? {} : toProxyVariables(proxy.url, environment, Object.keys(routes))),
    NODE_OPTIONS: [environment.NODE_OPTIONS, nodeHookOption(host.nodeHookFile)].filter(Boolean).join(' '),
    TESTFLEET_NAMES: JSON.stringify(routes),
  }
  return { environment: { ...environment, ...variables }, close: () => proxy?.close() }
}
