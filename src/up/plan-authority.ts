import type { Authority } from '../certificates/make-certificates.ts'
import type { AuthorityRecord } from '../model/certificate.ts'
import { type Fleet, usesCertificates } from '../model/fleet.ts'
import type { Tools } from '../tools.ts'

export interface PlannedAuthority {
  readonly record: AuthorityRecord
  readonly own: Authority | undefined
}

/** `stored`: this machine keeps it; `made`: the same, created if it is missing; `throwAway`: only this call has it. */
export type AuthorityKind = 'stored' | 'made' | 'throwAway'

/** Stands for an authority that does not exist yet: no server can have been given it. */
const notYetMade: AuthorityRecord = { fingerprint: '', endsAtMs: 0 }

/** Returns the certificate authority of a session; undefined for a fleet without certificates. */
export async function planAuthority(
  fleet: Fleet,
  kind: AuthorityKind,
  { engine, host }: Tools,
): Promise<PlannedAuthority | undefined> {
  if (!usesCertificates(fleet)) return undefined
  // Loaded on demand: most fleets have no certificates.
  const [store, { fleetNames }] = await Promise.all([
    import('../certificates/authority-store.ts'),
    import('../certificates/make-certificates.ts'),
  ])
  const wanted = { ...fleet, names: fleetNames(fleet, engine.location.remoteHost) }
  const ways = {
    stored: () => store.findAuthority(wanted, host),
    made: () => store.ensureAuthority(wanted, host),
    throwAway: () => store.makeThrowAwayAuthority(wanted),
  }
  const own = await ways[kind]()
  if (own === undefined) return { record: notYetMade, own }
  return { record: { fingerprint: own.fingerprint, endsAtMs: own.endsAtMs }, own }
}
