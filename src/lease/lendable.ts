import { toExports, toServerEnvironment } from '../endpoints/environment.ts'
import type { ContainerDetails } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Isolation } from '../model/lending.ts'
import type { SessionReport } from '../model/running.ts'
import type { ServerRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import { reportSession } from '../report/report.ts'
import type { SecretValues } from '../servers/secrets.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import type { PoolStatus } from './pool.ts'

/** A server that is lent, in whatever way its leases are kept apart. */
export interface Lendable {
  readonly isolation: Isolation
  /** Digest of what its copies are made from; undefined for databases, which are inside the server's own container. */
  readonly digest?: string | undefined
  /** Resolves with something pristine that nobody else has. */
  take(signal: AbortSignal): Promise<Lent>
  /** Takes it back. It is made pristine, or removed, in the background. */
  give(lent: Lent): void
  /** A container has ended, or was removed. */
  containerEnded(container: string): void
  status(): PoolStatus
  /** What is not as the fleet file says, in a sentence; undefined when nothing is. */
  readonly problem?: string | undefined
  /** Lends no more. Resolves once a successor can lend the server: what is lent stays until it is given back. */
  retire(): Promise<void>
  /** Lends no more, and removes what is not lent. What is lent inside the server itself ends with it. */
  close(options?: CloseOptions): Promise<void>
}

export interface CloseOptions {
  /** Whether the server ends, too, so that nothing inside it has to be removed. Default: false. */
  readonly isServerEnding?: boolean
}

/** What a holder gets to know. */
export interface Lent {
  /** Name of the copy, or of the server itself for a database in it. */
  readonly copy: string
  /** Name of the leased database. */
  readonly database?: string | undefined
  /** Session that has the container. */
  readonly session: string
  readonly container: string
  readonly hostname: string
  readonly endpoints: SessionReport['servers'][string]['endpoints']
  readonly environment: Readonly<Record<string, string>>
  /** What the server exports, with the values of this lease. */
  readonly exports: Readonly<Record<string, string>>
}

/** Most who wait for one server. */
export const MOST_WAITING = 4096

export function tooMany(server: string): TestfleetError {
  return new TestfleetError('SESSION_BUSY', `${MOST_WAITING} others already wait for a lease of ${server}`, {
    server,
    hint: 'Lease fewer at a time.',
  })
}

export function notLentAnyMore(server: string, session: string): TestfleetError {
  return new TestfleetError('NO_SESSION', `${server} is not lent any more: session ${session} is ending`, {
    server,
    hint: say('startAgain'),
  })
}

/** Variables and endpoints of a lease, under the names that the server itself has in its session. */
export async function describeLease(
  server: string,
  record: ServerRecord,
  container: ContainerDetails,
  secrets: SecretValues,
  parent: Pick<StoredRecord, 'name' | 'fleet' | 'domain'>,
  tools: Tools,
): Promise<Pick<Lent, 'hostname' | 'endpoints' | 'environment' | 'exports'>> {
  const observed = new Map([[server, { name: server, container, spec: record }]])
  const report = await reportSession(parent, observed, new Set([server]), tools)
  const sources = [{ name: server, spec: record, secrets }]
  const environment = toServerEnvironment(server, report, sources)
  const exports = toExports(report, sources)[server] ?? {}
  return { hostname: record.hostname, endpoints: report.servers[server]?.endpoints ?? {}, environment, exports }
}
