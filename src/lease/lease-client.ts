import { formatDuration } from '../formats/duration.ts'
import type { LenderClient } from '../lender/connection.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Isolation } from '../model/lending.ts'
import type { Endpoint } from '../model/running.ts'

/** Answer to the request for a lease. docs/leases.md documents it for other languages. */
export interface LeaseAnswer {
  readonly lease: string
  readonly server: string
  readonly copy: string
  readonly isolation: Isolation
  readonly database?: string | undefined
  /** Session that has the container, and the container's id. */
  readonly session: string
  readonly container: string
  readonly hostname: string
  readonly endpoints: Readonly<Record<string, Endpoint>>
  readonly environment: Readonly<Record<string, string>>
  readonly exports: Readonly<Record<string, string>>
  /** What is not as the fleet file says. Only the first lease of a connection has it. */
  readonly warning?: string | undefined
}

/** A lease of this process. */
export interface OpenLease {
  readonly answer: LeaseAnswer
  release(): Promise<void>
}

export interface LeaseRequest {
  readonly server: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** The lender answers in time itself; only one that hangs does not. */
const PATIENCE_MS = 10_000
const RELEASE_TIMEOUT_MS = 10_000

export async function requestLease(
  client: LenderClient,
  { server, timeoutMs, signal }: LeaseRequest,
): Promise<OpenLease> {
  const giveBack = (lease: unknown): Promise<unknown> =>
    client.ask({ release: lease }, { timeoutMs: RELEASE_TIMEOUT_MS }).catch(ignoreLost)
  const answer = (await client.ask(
    { lease: server, timeoutMs },
    { timeoutMs: timeoutMs + PATIENCE_MS, signal, onLate: ({ lease }) => void giveBack(lease) },
  )) as unknown as LeaseAnswer
  let released: Promise<unknown> | undefined
  return {
    answer,
    async release() {
      released ??= giveBack(answer.lease)
      await released
    },
  }
}

/** A lender that has ended has taken everything back. */
function ignoreLost(error: unknown): void {
  if (!isFailure(error, 'LENDER_LOST')) throw error
}

/** How long a lease is waited for, unless its request says otherwise. */
export const DEFAULT_LEASE_TIMEOUT_MS = 60_000
export const LONGEST_LEASE_TIMEOUT_MS = 24 * 3_600_000

/** Reads the time that a lease may be waited for. Fails with USAGE. */
export function readLeaseTimeout(timeoutMs: number | undefined): number {
  if (timeoutMs === undefined) return DEFAULT_LEASE_TIMEOUT_MS
  if (timeoutMs >= 1 && timeoutMs <= LONGEST_LEASE_TIMEOUT_MS) return Math.round(timeoutMs)
  throw new TestfleetError('USAGE', `a lease is waited for from 1 ms to 24 hours, not ${timeoutMs} ms`)
}

export function formatLeaseTime(ms: number): string {
  return ms < 1000 ? `${ms} ms` : formatDuration(ms)
}
