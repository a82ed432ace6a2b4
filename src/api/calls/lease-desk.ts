import { type LeaseAnswer, type OpenLease, readLeaseTimeout, requestLease } from '../../lease/lease-client.ts'
import { type LeaseSource, reachLender } from '../../lease/start-lending.ts'
import type { LenderClient } from '../../lender/connection.ts'
import { noteLater } from '../../model/note-later.ts'
import type { OwnValue } from '../../model/own-value.ts'
import type { ServerRecord } from '../../model/session.ts'
import { unknownServer } from '../../model/unknown-server.ts'
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
  #client: Promise<LenderClient> | undefined

  constructor(record: StoredRecord, source: LeaseSource) {
    this.#record = record
    this.#source = source
  }

  async lease(server: string, options: LeaseOptions, tools: Tools): Promise<OpenLease> {
    const timeoutMs = readLeaseTimeout(options.timeoutMs)
    if (!Object.hasOwn(this.#record.servers, server)) throw unknownServer(server, Object.keys(this.#record.servers))
    const request = async (): Promise<OpenLease> =>
      requestLease(await this.#reach(tools), { server, timeoutMs, signal: tools.signal })
    const hasPool = this.#record.servers[server]?.lending?.pool !== undefined
    const why = hasPool ? '' : '; it has no `pool`, so the first one is made now'
    const lease = await noteLater(`${server}: waiting for a pristine one${why}`, tools.onEvent, request())
    const { warning } = lease.answer
    if (warning !== undefined) tools.onEvent({ kind: 'warned', message: warning })
    return lease
  }

  #reach(tools: Tools): Promise<LenderClient> {
    const reaching = this.#client ?? this.#connect(tools)
    this.#client = reaching
    return reaching
  }

  async #connect(tools: Tools): Promise<LenderClient> {
    const forget = (): void => {
      this.#client = undefined
    }
    try {
      const client = await reachLender(this.#record, this.#source, tools)
      client.onEnd(forget)
      return client
    } catch (error) {
      forget()
      throw error
    }
  }

  async close(): Promise<void> {
    const client = await this.#client?.catch(() => undefined)
    client?.close()
  }
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
