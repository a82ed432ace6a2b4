import type { ClientFiles } from '../certificates/keep-authority.ts'
import type { ObservedContainer, ObservedSession } from '../containers/observe.ts'
import { readAuthority } from '../containers/read-certificates.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Tools } from './tools.ts'

/**
 * How clients trust the servers of a session: the variables that say it. None for a session without certificates.
 * The authority is the one that its containers have, whoever made it.
 */
export async function findTrust({ servers }: ObservedSession, tools: Tools): Promise<Readonly<Record<string, string>>> {
  const holder = [...servers.values()].reduce<ObservedContainer | undefined>(newerOf, undefined)
  if (holder?.spec.authority === undefined) return {}
  // Few fleets have certificates.
  const [{ clientEnvironment }, { findClientFiles }] = await Promise.all([
    import('../certificates/client-environment.ts'),
    import('../certificates/keep-authority.ts'),
  ])
  const { fingerprint } = holder.spec.authority
  const files =
    (await findClientFiles(fingerprint, tools.host)) ?? (await takeFromContainer(holder, fingerprint, tools))
  return clientEnvironment(files, tools.host)
}

/** After an `up` of some servers alone, the others still have the authority before. */
function newerOf(one: ObservedContainer | undefined, other: ObservedContainer): ObservedContainer | undefined {
  const endOf = (container: ObservedContainer | undefined): number => container?.spec.authority?.endsAtMs ?? 0
  return endOf(other) > endOf(one) ? other : one
}

/** A session that was started from another machine has its authority with it, but for what is secret. */
async function takeFromContainer(
  { name, container }: ObservedContainer,
  fingerprint: string,
  { engine, host, signal }: Tools,
): Promise<ClientFiles> {
  const { findClientFiles, keepForeign } = await import('../certificates/keep-authority.ts')
  const authority = await readAuthority(engine, container.id, { signal })
  // It is what the label says, whoever has been in the container since.
  if (authority !== undefined && (await keepForeign(authority, fingerprint, host))) {
    const files = await findClientFiles(fingerprint, host)
    if (files !== undefined) return files
  }
  throw new TestfleetError('NOT_FOUND', `the certificate authority of ${name} cannot be read from it`, { server: name })
}
