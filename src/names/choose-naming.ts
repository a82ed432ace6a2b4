import { TestfleetError } from '../model/failures.ts'
import { say } from '../model/surface.ts'

export const nameWays = ['auto', 'namespace', 'proxy', 'none'] as const
/** Values of `--names`. */
export type NameWay = (typeof nameWays)[number]

/** Mechanism by which a command gets the names of the servers. */
export type Naming =
  /** A private /etc/hosts, which works for all programs at the real ports. */
  | { readonly kind: 'namespace' }
  /** A hook for Node, and a proxy for programs that respect HTTP_PROXY. */
  | { readonly kind: 'proxy'; readonly why: string; readonly hasProxy: boolean; readonly isDirect: boolean }
  | { readonly kind: 'none' }

export interface NamingFacts {
  /** Whether this machine reaches the containers at their own addresses. */
  readonly isDirect: boolean
  /** Why the command cannot have a private /etc/hosts, as a clause; undefined when it can. */
  readonly unsupportedReason: string | undefined
  /** Variable with the caller's own proxy, if there is one. */
  readonly ownProxy: string | undefined
}

/** Chooses the mechanism. Fails with NAMES_UNAVAILABLE when the wanted one does not work here. */
export function chooseNaming(wanted: NameWay, { isDirect, unsupportedReason, ownProxy }: NamingFacts): Naming {
  if (wanted === 'none') return { kind: 'none' }
  const against = isDirect
    ? unsupportedReason
    : "this machine does not reach the engine's containers at their own addresses"
  if (wanted === 'namespace' && against !== undefined) throw unavailable('namespace', against)
  if (wanted === 'proxy' && ownProxy !== undefined) throw unavailable('proxy', `${ownProxy} is set and must stay`)
  if (wanted !== 'proxy' && against === undefined) return { kind: 'namespace' }
  return {
    kind: 'proxy',
    why: against ?? `${say('names', 'proxy')} was given`,
    hasProxy: ownProxy === undefined,
    isDirect,
  }
}

function unavailable(way: string, why: string): TestfleetError {
  return new TestfleetError('NAMES_UNAVAILABLE', `${say('names', way)} is not available here, because ${why}`, {
    hint: `Use ${say('names', 'auto')}, the default: it takes the best way that works here, and says which one.`,
  })
}

/** Returns a warning for a command whose names work only in part; undefined when all work. */
export function describeNaming(naming: Naming, example: string, ownProxy: string | undefined): string | undefined {
  if (naming.kind !== 'proxy') return undefined
  const { why, hasProxy, isDirect } = naming
  const programs = hasProxy ? 'Node and programs that respect HTTP_PROXY reach' : 'Node reaches'
  const where = isDirect ? 'at all their ports' : 'at their published ports, by the real port numbers'
  const noProxy = hasProxy ? '' : ` (a proxy for other programs would replace ${ownProxy})`
  return `only some programs know the servers' names, because ${why}: ${programs} ${example} and the other servers, ${where}${noProxy}; other programs need TESTFLEET_<SERVER>_HOST and _PORT`
}
