import { TestfleetError } from '../model/failures.ts'

export const nameWays = ['auto', 'namespace', 'proxy', 'none'] as const
/** What `--names` takes. */
export type NameWay = (typeof nameWays)[number]

/** How a command is given the names of the servers. */
export type Naming =
  /** In an /etc/hosts of its own: to all programs, at the real ports. */
  | { readonly kind: 'namespace' }
  /** To Node by a hook, and by a proxy to what heeds the variables for one. */
  | { readonly kind: 'proxy'; readonly why: string; readonly hasProxy: boolean; readonly isDirect: boolean }
  | { readonly kind: 'none' }

export interface NamingFacts {
  /** Whether this machine reaches the containers at their own addresses. */
  readonly isDirect: boolean
  /** What stands against an /etc/hosts of the command's own, in words that go on after "as". */
  readonly obstacle: string | undefined
  /** The variable by which the caller has a proxy of his own. */
  readonly ownProxy: string | undefined
}

/** Fails with NAMES_UNAVAILABLE when what is wanted cannot be had. */
export function chooseNaming(wanted: NameWay, { isDirect, obstacle, ownProxy }: NamingFacts): Naming {
  if (wanted === 'none') return { kind: 'none' }
  const against = isDirect ? obstacle : "this machine does not reach the engine's containers at their own addresses"
  if (wanted === 'namespace' && against !== undefined) throw unavailable('namespace', against)
  if (wanted === 'proxy' && ownProxy !== undefined) throw unavailable('proxy', `${ownProxy} is set, and stays`)
  if (wanted !== 'proxy' && against === undefined) return { kind: 'namespace' }
  return { kind: 'proxy', why: against ?? 'the call asks for it', hasProxy: ownProxy === undefined, isDirect }
}

function unavailable(way: string, why: string): TestfleetError {
  return new TestfleetError('NAMES_UNAVAILABLE', `\`--names ${way}\` cannot be had, as ${why}`, {
    hint: '`--names auto`, which is the default, takes what there is, and says what that is.',
  })
}

/** What a person has to know who is not given names in the full way; undefined for who is. */
export function wordNaming(naming: Naming, example: string, ownProxy: string | undefined): string | undefined {
  if (naming.kind !== 'proxy') return undefined
  const { why, hasProxy, isDirect } = naming
  const programs = hasProxy
    ? 'Node and programs that heed HTTP_PROXY'
    : `Node (a proxy for others would displace ${ownProxy})`
  const where = isDirect ? 'at all of its ports' : 'at the ports that it publishes, by their real numbers'
  return `the command's names are not complete, as ${why}: only ${programs} reach ${example} and the like, ${where}; other programs need TESTFLEET_<SERVER>_HOST and _PORT`
}

const proxyVariables = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY'].flatMap((name) => [name, name.toLowerCase()])

export function findOwnProxy(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  return proxyVariables.find((name) => (environment[name] ?? '') !== '')
}

/** Lower case too: curl reads the capitals for https alone. Who asks for what is local does not need it. */
export function toProxyVariables(
  url: string,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const own = environment.NO_PROXY || environment.no_proxy
  const exceptions = [...(own ? [own] : []), 'localhost', '127.0.0.1', '::1'].join(',')
  const variables = Object.fromEntries(proxyVariables.map((name) => [name, url]))
  return { ...variables, NO_PROXY: exceptions, no_proxy: exceptions }
}
