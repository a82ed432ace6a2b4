import type { LineClient } from '../lender/line-server.ts'
import { TestfleetError } from '../model/failures.ts'
import { untilAborted } from '../model/until-aborted.ts'
import { DEFAULT_LEASE_TIMEOUT_MS, formatLeaseTime, LONGEST_LEASE_TIMEOUT_MS } from './lease-client.ts'
import type { Refreshed, SessionLending } from './lend-session.ts'
import type { Lendable, Lent } from './lendable.ts'
import type { FleetOrder } from './order.ts'
import { Parts } from './parts.ts'

/** Most leases of one client. */
const MOST_LEASES = 1024

type Request = Readonly<Record<string, unknown>>

interface Lease {
  readonly lendable: Lendable
  readonly lent: Lent
}

let lastLease = 0

export interface LenderEnd {
  /** Fires when the lender begins to end. */
  readonly signal: AbortSignal
  /** Ends the lender, because its session ends. Resolves once everything that it has prepared is removed. */
  endWithSession(): Promise<void>
}

/** Answers the requests of one client. Its leases end when its connection does. */
export function answerClient(client: LineClient, lending: Promise<SessionLending>, over: LenderEnd): void {
  const leases = new Map<string, Lease>()
  /** Problems that this client knows. */
  const known = new Set<string>()
  const parts = new Parts()
  let isGone = false
  const release = (id: string, { lendable, lent }: Lease): void => {
    leases.delete(id)
    lendable.give(lent)
  }
  client.onEnd(() => {
    isGone = true
    for (const [id, lease] of leases) release(id, lease)
  })
  const lease = async (request: Request, signal: AbortSignal): Promise<object> => {
    const server = readName(request.lease, 'lease')
    const timeoutMs = readTimeout(request.timeoutMs)
    if (leases.size >= MOST_LEASES)
      throw usage(`a client can have ${MOST_LEASES} leases at a time`, 'Release those that are not needed.')
    const { lendable, lent } = await takeInTime(server, lending, timeoutMs, AbortSignal.any([signal, over.signal]))
    const id = `k${++lastLease}`
    if (isGone || signal.aborted) {
      lendable.give(lent)
      throw signal.reason
    }
    leases.set(id, { lendable, lent })
    const { copy, database, ...about } = lent
    const { isolation, problem: warning } = lendable
    const isNew = warning !== undefined && !known.has(warning)
    if (isNew) known.add(warning)
    return { lease: id, server, copy, isolation, ...(database && { database }), ...about, ...(isNew && { warning }) }
  }
  const giveBack = (request: Request): object => {
    const id = readName(request.release, 'release')
    const found = leases.get(id)
    if (found === undefined) throw usage(`this client has no lease ${id}`)
    release(id, found)
    return {}
  }
  client.onRequest(async (request, { signal }) => {
    if (request.lease !== undefined) return lease(request, signal)
    if (request.release !== undefined) return giveBack(request)
    if (request.part !== undefined) {
      parts.add(request.part)
      return {}
    }
    if (request.refresh !== undefined) {
      const refreshed = readRefreshed(parts.take() ?? request)
      await (await lending).refresh(refreshed)
      return {}
    }
    if (request.end !== undefined) {
      client.stay()
      await over.endWithSession()
      return {}
    }
    if (request.status !== undefined) return describeStatus(await lending)
    throw usage('a request has `lease`, `release` or `status`')
  })
}

/** The time includes that until the server's first copy can be made. */
async function takeInTime(
  server: string,
  lending: Promise<SessionLending>,
  timeoutMs: number,
  outer: AbortSignal,
): Promise<Lease> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([outer, timeout])
  let lendable: Lendable | undefined
  try {
    const session = await untilAborted(lending, signal)
    for (;;) {
      lendable = await untilAborted(session.find(server), signal)
      try {
        return { lendable, lent: await lendable.take(signal) }
      } catch (error) {
        // The server may be lent in another way from now on.
        if (signal.aborted || (await untilAborted(session.find(server), signal)) === lendable) throw error
      }
    }
  } catch (error) {
    if (!timeout.aborted || outer.aborted) throw error
    throw noneInTime(server, lendable, timeoutMs)
  }
}

function noneInTime(server: string, lendable: Lendable | undefined, timeoutMs: number): TestfleetError {
  const { size, lent } = lendable?.status() ?? { size: 0, lent: 0 }
  const isFull = lendable?.isolation !== 'database' && lent > 0
  const state = isFull ? `${lent} of ${size} ${size === 1 ? 'copy' : 'copies'} lent` : 'none is ready yet'
  return new TestfleetError('TIMED_OUT', `no pristine ${server} within ${formatLeaseTime(timeoutMs)}: ${state}`, {
    server,
    hint: 'Set `pool` of the server to more copies, release leases sooner, or wait longer.',
  })
}

function describeStatus({ lendings }: SessionLending): object {
  const byServer = Map.groupBy(lendings, ([name]) => name)
  const servers = [...byServer].map(([name, all]) => {
    const [now, ...earlier] = all.map(([, one]) => describeLendable(one))
    return [name, { ...now, ...(earlier.length > 0 && { earlier }) }]
  })
  return { servers: Object.fromEntries(servers) }
}

function describeLendable(one: Lendable): object {
  const { isolation, problem } = one
  return { isolation, ...one.status(), ...(problem && { problem }) }
}

/** What `up` sends; nothing when it does not know the fleet. */
function readRefreshed(request: unknown): Partial<Refreshed> {
  const { refresh, environment } = isObject(request) ? request : {}
  if (!isObject(refresh) || !isObject(environment)) return {}
  if (refresh.kind !== 'file' && refresh.kind !== 'object') throw usage('`refresh` must be a fleet')
  if (!Object.values(environment).every((value) => typeof value === 'string'))
    throw usage('`environment` must have texts only')
  return { order: refresh as unknown as FleetOrder, environment: environment as Readonly<Record<string, string>> }
}

function isObject(value: unknown): value is Request {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function readName(value: unknown, key: string): string {
  if (typeof value === 'string' && value.length <= 100) return value
  throw usage(`\`${key}\` must be a text of at most 100 characters`)
}

function readTimeout(value: unknown): number {
  if (value === undefined) return DEFAULT_LEASE_TIMEOUT_MS
  if (Number.isInteger(value) && (value as number) > 0 && (value as number) <= LONGEST_LEASE_TIMEOUT_MS)
    return value as number
  throw usage(`\`timeoutMs\` must be a whole number from 1 to ${LONGEST_LEASE_TIMEOUT_MS}`)
}

function usage(message: string, hint?: string): TestfleetError {
  return new TestfleetError('USAGE', message, { hint })
}
