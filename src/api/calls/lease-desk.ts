import {
  formatLeaseTime,
  type LeaseAnswer,
  type OpenLease,
  readLeaseTimeout,
  requestLease,
} from '../../lease/lease-client.ts'
import { Reaching } from '../../lease/reaching.ts'
import { type LeaseSource, reachLender } from '../../lease/start-lending.ts'
import type { LenderClient } from '../../lender/connection.ts'
import { TestfleetError } from '../../model/failures.ts'
import { noteLater } from '../../model/note-later.ts'
import type { OwnValue } from '../../model/own-value.ts'
import type { ServerRecord } from '../../model/session.ts'
import { unknownServer } from '../../model/unknown-server.ts'
import { refuseNoContainer } from '../../report/refusals.ts'
import { wasTakenDown } from '../../sessions/hold.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import type { ExecOptions, ExecResult } from '../types/exec.ts'
import type { LeaseOptions } from '../types/lease.ts'
import { execCollected } from './exec.ts'

/** The leases of one process in one session, over one connection. Its end is the end of all of them. */
export class LeaseDesk {
  readonly #record: StoredRecord
  readonly #source: LeaseSource
  #reaching: Reaching | undefined

  constructor(record: StoredRecord, source: LeaseSource) {
    this.#record = record
    this.#source = source
  }

  async lease(server: string, options: LeaseOptions, tools: Tools): Promise<OpenLease> {
    const timeoutMs = readLeaseTimeout(options.timeoutMs)
    if (!Object.hasOwn(this.#record.servers, server)) throw unknownServer(server, Object.keys(this.#record.servers))
    refuseNoContainer(server, this.#record.servers[server], 'lease')
    const request = async (): Promise<OpenLease> => {
      const startedAt = performance.now()
      const client = await this.#reach(server, timeoutMs, tools)
      // Whole seconds, so that a failure names the time that was asked for.
      const spentMs = Math.floor((performance.now() - startedAt) / 1000) * 1000
      return requestLease(client, { server, timeoutMs: Math.max(1, timeoutMs - spentMs), signal: tools.signal })
    }
    const hasPool = this.#record.servers[server]?.lending?.pool !== undefined
    const why = hasPool ? '' : '; it has no `pool`, so the first one is made now'
    const lease = await noteLater(`${server}: waiting for a pristine one${why}`, tools.onEvent, request())
    const { warning } = lease.answer
    if (warning !== undefined) tools.onEvent({ kind: 'warned', message: warning })
    return lease
  }

  /** The connection is shared: a lease that no longer waits for it does not take it from the others. */
  async #reach(server: string, timeoutMs: number, tools: Tools): Promise<LenderClient> {
    const timeout = AbortSignal.timeout(timeoutMs)
    const reaching = this.#reaching ?? this.#connect(tools)
    try {
      return await reaching.wait(AbortSignal.any([tools.signal, timeout]))
    } catch (error) {
      if (error !== timeout.reason) throw error
      throw notReached(server, timeoutMs)
    }
  }

  #connect(tools: Tools): Reaching {
    const forget = (): void => {
      if (this.#reaching === reaching) this.#reaching = undefined
    }
    const reaching = new Reaching((signal) => reachLender(this.#record, this.#source, { ...tools, signal }), forget)
    reaching.client.then((client) => client.onEnd(forget), forget)
    this.#reaching = reaching
    return reaching
  }

  async close(): Promise<void> {
    const client = await this.#reaching?.client.catch(() => undefined)
    client?.close()
  }
}

function notReached(server: string, timeoutMs: number): TestfleetError {
  const message = `no pristine ${server} within ${formatLeaseTime(timeoutMs)}: the process that lends it does not answer`
  return new TestfleetError('TIMED_OUT', message, {
    server,
    hint: 'Wait longer, or end that process: the next lease starts a new one.',
  })
}

/** Runs a command in the server of a lease. */
export async function execInLease(
  { name, servers }: StoredRecord,
  { server, copy, session, database }: LeaseAnswer,
  command: readonly string[],
  options: ExecOptions,
  tools: Tools,
): Promise<ExecResult> {
  const { sessions } = await tools.sessions.list(tools)
  const record = sessions.find((one) => one.name === session)
  if (record === undefined) throw wasTakenDown(name, undefined)
  const known = record.servers[copy] ?? servers[server]
  const inDatabase = known === undefined ? record.servers : { ...record.servers, [copy]: withDatabase(known, database) }
  return execCollected({ ...record, servers: inDatabase }, copy, command, options, tools)
}

function withDatabase(record: ServerRecord, database: string | undefined): ServerRecord {
  if (database === undefined || record.execEnvironment === undefined) return record
  const rename = (value: OwnValue): OwnValue =>
    value.kind === 'text' && value.isDatabase ? { ...value, text: database } : value
  const renamed = Object.entries(record.execEnvironment).map(([name, value]) => [name, rename(value)])
  return { ...record, execEnvironment: Object.fromEntries(renamed) }
}
