import { isOuterProxy, proxyVariables } from '../formats/proxy-variables.ts'
import type { Host } from '../model/host.ts'
import type { Routes } from './route.ts'

/** Names that belong to this session: the given ones, and everything below its domain. */
export interface SessionNames {
  readonly domain: string
  readonly names: readonly string[]
}

/** Names that an outer call of testfleet gave its command without a private /etc/hosts. */
export interface OuterSession {
  /** Environment without the outer session's settings. */
  readonly environment: Host['environment']
  /** Names of the outer session that no server of this one can have. */
  readonly routes: Routes
  /** Whether other names of it would lead to its servers instead of this session's. */
  readonly isInTheWay: boolean
}

export function nodeHookOption(hookFile: string): string {
  return `--require ${JSON.stringify(hookFile)}`
}

export function isOfSession(name: string, { domain, names }: SessionNames): boolean {
  const lower = name.toLowerCase().replace(/\.$/, '')
  return lower.endsWith(`.${domain.toLowerCase()}`) || names.some((one) => one.toLowerCase() === lower)
}

/** Separates the environment from the names of an outer session. */
export function readOuterSession(environment: Host['environment'], own: SessionNames, hookFile: string): OuterSession {
  const routes = parseRoutes(environment.TESTFLEET_NAMES)
  const all = Object.entries(routes)
  // The aliases of an outer server are removed together with its name.
  const taken = new Set(all.filter(([name]) => isOfSession(name, own)).map(([, route]) => JSON.stringify(route)))
  const left = all.filter(([, route]) => !taken.has(JSON.stringify(route)))
  return {
    environment: withoutOuter(environment, hookFile),
    routes: Object.fromEntries(left),
    isInTheWay: left.length < all.length,
  }
}

function withoutOuter(environment: Host['environment'], hookFile: string): Host['environment'] {
  const { TESTFLEET_NAMES: _, NODE_OPTIONS: options, ...others } = environment
  const ownOptions = options?.replaceAll(nodeHookOption(hookFile), '').trim()
  const isProxy = (name: string): boolean => proxyVariables.includes(name) && isOuterProxy(environment[name])
  return {
    ...Object.fromEntries(Object.entries(others).filter(([name]) => !isProxy(name))),
    ...(ownOptions ? { NODE_OPTIONS: ownOptions } : {}),
  }
}

/** Another program may have set the variable. */
function parseRoutes(text: string | undefined): Routes {
  try {
    const value: unknown = JSON.parse(text ?? '{}')
    if (typeof value !== 'object' || value === null) return {}
    return Object.fromEntries(Object.entries(value).filter(([, route]) => isRoute(route)))
  } catch {
    return {}
  }
}

function isRoute(route: unknown): boolean {
  if (typeof route !== 'object' || route === null) return false
  if ('address' in route) return typeof route.address === 'string'
  return 'ports' in route && typeof route.ports === 'object' && route.ports !== null
}
