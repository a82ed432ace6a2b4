import { TestfleetError } from '../model/failures.ts'

export const nameWays = ['auto', 'namespace', 'proxy', 'none'] as const
/** What `--names` takes. */
export type NameWay = (typeof nameWays)[number]

/** How a command gets the names of the servers. */
export type Naming =
  /** Its own /etc/hosts: for all programs, at the real ports. */
  | { readonly kind: 'namespace' }
  /** A hook for Node, and a proxy for programs that respect the variables for one. */
  | { readonly kind: 'proxy'; readonly why: string; readonly hasProxy: boolean; readonly isDirect: boolean }
  | { readonly kind: 'none' }

export interface NamingFacts {
  /** Whether this machine reaches the containers at their own addresses. */
  readonly isDirect: boolean
  /** Why the command cannot have its own /etc/hosts, in words that go on after "as". */
  readonly obstacle: string | undefined
  /** Variable that names the caller's own proxy, if there is one. */
  readonly ownProxy: string | undefined
}

/** Fails with NAMES_UNAVAILABLE when the wanted way does not work here. */
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

/** Warning for a command whose names are not complete; undefined when they are. */
export function wordNaming(naming: Naming, example: string, ownProxy: string | undefined): string | undefined {
  if (naming.kind !== 'proxy') return undefined
  const { why, hasProxy, isDirect } = naming
  const programs = hasProxy
    ? 'Node and programs that respect HTTP_PROXY'
    : `Node (a proxy for others would displace ${ownProxy})`
  const where = isDirect ? 'at all of its ports' : 'at the ports that it publishes, by their real numbers'
  return `the command's names are not complete, as ${why}: only ${programs} reach ${example} and the like, ${where}; other programs need TESTFLEET_<SERVER>_HOST and _PORT`
}
