import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Host } from '../model/host.ts'
import type { NamedServer } from '../model/running.ts'
import type { Tools } from '../session/tools.ts'
import { chooseNaming, findOwnProxy, type NameWay, toProxyVariables, wordNaming } from './choose-naming.ts'
import { toHostsEntries } from './hosts-file.ts'
import { type Namespace, openNamespace } from './namespace.ts'
import { findGround, type Obstacle } from './obstacle.ts'
import { openProxy } from './proxy.ts'
import { toRoutes } from './route.ts'
import type { Program } from './run-program.ts'

/** What a command needs for the names of the servers to lead to them. */
export interface GivenNames {
  readonly variables: Readonly<Record<string, string>>
  /** The program as it has to be started; `foundAs` is what it is called, and found by in its environment. */
  inside(program: Program, foundAs: string): Program
  /** Once the command has ended. */
  close(): void
}

const nothing: GivenNames = { variables: {}, inside: (program) => program, close() {} }

/** Gives them in the way that is wanted, or in the best that there is, and then tells what is missing. */
export async function giveNames(
  wanted: NameWay,
  servers: readonly NamedServer[],
  environment: Host['environment'],
  { host, signal, onEvent }: Tools,
): Promise<GivenNames> {
  const [first] = servers
  if (first === undefined) return nothing
  const ownProxy = findOwnProxy(environment)
  const isDirect = servers.every(({ address }) => address !== undefined)
  const mayOpen = isDirect && (wanted === 'auto' || wanted === 'namespace')
  const opened = mayOpen ? await tryNamespace(servers, host, signal) : undefined
  const obstacle = opened !== undefined && 'obstacle' in opened ? opened.obstacle : undefined
  const naming = chooseNaming(wanted, { isDirect, obstacle, ownProxy })
  const message = wordNaming(naming, first.names[0] ?? first.server, ownProxy)
  if (message !== undefined && wanted === 'auto') onEvent({ kind: 'warned', message })
  if (opened !== undefined && !('obstacle' in opened)) return { ...opened, variables: {} }
  return naming.kind === 'proxy' ? giveByProxy(servers, environment, naming.hasProxy, signal) : nothing
}

async function tryNamespace(
  servers: readonly NamedServer[],
  host: Host,
  signal: AbortSignal,
): Promise<Namespace | Obstacle> {
  const ground = await findGround(host)
  if ('obstacle' in ground) return ground
  return openNamespace(toHostsEntries(servers, hostname()), ground, host, signal)
}

async function giveByProxy(
  servers: readonly NamedServer[],
  environment: Host['environment'],
  hasProxy: boolean,
  signal: AbortSignal,
): Promise<GivenNames> {
  const routes = toRoutes(servers)
  const proxy = hasProxy ? await openProxy(routes, signal) : undefined
  const options = [environment.NODE_OPTIONS, `--require ${JSON.stringify(findHook())}`]
  const variables = {
    ...(proxy === undefined ? {} : toProxyVariables(proxy.url, environment)),
    NODE_OPTIONS: options.filter(Boolean).join(' '),
    TESTFLEET_NAMES: JSON.stringify(routes),
  }
  return { variables, inside: (program) => program, close: () => proxy?.close() }
}

/** Beside the source of this file, or in the package. */
function findHook(): string {
  const { dirname } = import.meta
  const candidates = ['node-hook.cjs', '../cli/node-hook.cjs'].map((path) => join(dirname, path))
  return candidates.find((path) => existsSync(path)) ?? join(dirname, 'node-hook.cjs')
}
