type Variables = Readonly<Record<string, string | undefined>>

/** Variables that name a proxy for HTTP clients. Lower case too: curl reads upper case for https only. */
export const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()])

/** Also those of one tool, such as npm_config_https_proxy. */
const anyProxyVariable = /(?:^|_)(?:https?|all|ftp|socks|wss?)_proxy$/i

/** Proxy of another call of testfleet, around this one: it has the names of that call's session. */
const outerProxy = /^http:\/\/testfleet:[0-9a-f]{32}@127\.0\.0\.1:\d+$/

export function isOuterProxy(value: string | undefined): boolean {
  return outerProxy.test(value ?? '')
}

/** Name of a variable by which the caller sends HTTP to a proxy; undefined when there is none. */
export function findOwnProxy(environment: Variables): string | undefined {
  return proxyVariables.find((name) => isProxy(environment[name]))
}

function isProxy(value: string | undefined): value is string {
  return value !== undefined && value !== '' && !isOuterProxy(value)
}

/** What a fleet is reached by. */
export interface FleetNames {
  readonly domain: string
  /** Names outside the domain. */
  readonly aliases: readonly string[]
  readonly addresses: readonly string[]
  /** Published endpoints, as `host:port`. */
  readonly published: readonly string[]
}

const loopback = ['localhost', '127.0.0.1', '::1'] as const
const exceptionVariables = ['NO_PROXY', 'no_proxy'] as const

/**
 * Returns NO_PROXY and no_proxy with the caller's value and the fleet's names, so that no client asks the caller's proxy
 * for a server. Returns nothing where the environment names no proxy: curl would not use `--proxy` for these names either,
 * and a fleet's own proxy could not be tested.
 */
export function passFleet(environment: Variables, fleet: FleetNames): Record<string, string> {
  const proxies = Object.entries(environment).flatMap(([name, value]) =>
    anyProxyVariable.test(name) && isProxy(value) ? [value] : [],
  )
  if (proxies.every((proxy) => isOfFleet(proxy, fleet))) return {}
  const hosts = fleet.published.map((endpoint) => endpoint.slice(0, endpoint.lastIndexOf(':')))
  const names = [fleet.domain, `.${fleet.domain}`, ...fleet.aliases, ...loopback, ...fleet.addresses, ...hosts]
  return mapExceptions(environment, (own) => extend(own, names))
}

/** Clients disagree which of the two goes first: each keeps its own value, or has that of the other. */
function mapExceptions(environment: Variables, change: (own: string) => string): Record<string, string> {
  const { NO_PROXY: upper, no_proxy: lower } = environment
  const own = { NO_PROXY: upper || lower || '', no_proxy: lower || upper || '' }
  return Object.fromEntries(exceptionVariables.map((name) => [name, change(own[name])]))
}

function extend(own: string, names: readonly string[]): string {
  // Alone, it excepts everything; curl and Python do not know it as a part of a list.
  if (own.trim() === '*') return own
  const known = new Set(split(own))
  const added = [...new Set(names)].filter((name) => name !== '' && !known.has(name))
  return [own, ...added].filter(Boolean).join(',')
}

function split(exceptions: string): string[] {
  return exceptions.split(/[\s,]+/).filter(Boolean)
}

/** A server of the fleet can be the proxy that a test wants to be used. */
function isOfFleet(proxy: string, { domain, aliases, addresses, published }: FleetNames): boolean {
  const url = URL.parse(proxy.includes('://') ? proxy : `http://${proxy}`)
  if (url === null) return false
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  if (host.endsWith(`.${domain}`) || aliases.includes(host) || addresses.includes(host)) return true
  return published.includes(`${host}:${url.port || '80'}`)
}

/** The variables that send HTTP to a proxy of testfleet, which knows the fleet's names. Local addresses need no proxy. */
export function toProxyVariables(
  url: string,
  environment: Variables,
  names: readonly string[],
): Record<string, string> {
  const variables = Object.fromEntries(proxyVariables.map((name) => [name, url]))
  const isOurs = (exception: string): boolean => {
    const suffix = exception.replace(/^\*?\.?/, '')
    return suffix === '' || names.some((name) => name === suffix || name.endsWith(`.${suffix}`))
  }
  const others = (own: string): string =>
    split(own)
      .filter((exception) => !isOurs(exception))
      .join(',')
  return { ...variables, ...mapExceptions(environment, (own) => extend(others(own), loopback)) }
}
