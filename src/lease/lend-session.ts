import { label } from '../model/labels.ts'
import type { Lending, Pool } from '../model/lending.ts'
import type { ServerRecord } from '../model/session.ts'
import { unknownServer } from '../model/unknown-server.ts'
import { refuseNoContainer } from '../report/refusals.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { lendDatabases } from './lend-databases.ts'
import { type CloseOptions, type Lendable, notLentAnyMore } from './lendable.ts'
import { openCopies } from './open-copies.ts'
import type { FleetOrder } from './order.ts'
import { beginPoolSession, type PoolSession } from './pool-session.ts'

/** Size of the pool of a server that has no `pool`. */
const DEFAULT_POOL: Pool = { size: 1, isPaused: false }
const PLAIN: Lending = { isolation: 'container' }

export interface LendingListener {
  /** Called when the session is taken down. The call that takes it down waits for the promise. */
  onEnd(): Promise<void>
  /** Called with the id of the session that has the copies. */
  onBegun(session: string): void
}

interface Opened {
  container: string
  /** What the record says of its pool, as text. */
  readonly lending: string
  /** Everything else that the record says of the server itself, as text. */
  readonly spec: string
  readonly lendable: Promise<Lendable>
}

interface Retiring {
  readonly name: string
  readonly container: string
  readonly lendable: Lendable
}

/** What a call of `up` knows that has changed the session. */
export interface Refreshed {
  readonly order: FleetOrder
  readonly environment: Readonly<Record<string, string>>
}

/** The servers of one session, as they are lent. */
export class SessionLending {
  /** The servers that are lent, by name. */
  readonly pools = new Map<string, Lendable>()
  #order: FleetOrder
  readonly #listener: LendingListener
  #tools: Tools
  readonly #opened = new Map<string, Opened>()
  /** What is still lent as an earlier state of the fleet file said. */
  readonly #retiring = new Set<Retiring>()
  /** What has to end before a server can be lent again. */
  readonly #retired = new Map<string, Promise<unknown>>()
  /** Numbers of the copies that exist, by server: some copies of an earlier server may still be lent. */
  readonly #numbers = new Map<string, Set<number>>()
  readonly #closing = new Set<Promise<void>>()
  readonly #openCopies: typeof openCopies
  #record: StoredRecord
  #session: Promise<PoolSession> | undefined
  #isOver = false

  /** Begins to prepare the servers that have a `pool`. */
  constructor(parent: StoredRecord, order: FleetOrder, listener: LendingListener, tools: Tools, open = openCopies) {
    this.#record = parent
    this.#order = order
    this.#listener = listener
    this.#tools = tools
    this.#openCopies = open
    this.#prepare()
  }

  /** Returns how a server is lent. Fails with UNKNOWN_SERVER, or as its first copy does. */
  async find(name: string): Promise<Lendable> {
    if (this.#isOver) throw notLentAnyMore(name, this.#record.name)
    const server = serverOf(this.#record, name)
    if (server === undefined) throw unknownServer(name, Object.keys(this.#record.servers))
    refuseNoContainer(name, server, 'lease')
    const known = this.#opened.get(name)
    if (known !== undefined) return known.lendable
    const lendable = this.#open(name, server)
    const opened = { container: server.container, ...describe(server), lendable }
    this.#opened.set(name, opened)
    // The server may be replaced meanwhile.
    const isCurrent = (): boolean => this.#opened.get(name) === opened
    lendable.then(
      (one) => void (isCurrent() && this.pools.set(name, one)),
      () => void (isCurrent() && this.#opened.delete(name)),
    )
    return lendable
  }

  /** Whether a server of the fleet file has a `pool`: the lender then stays without clients. */
  get isLasting(): boolean {
    return this.#pooled().length > 0
  }

  /** Everything that is lent, by name of its server: first as the record says now, then as it said earlier. */
  get lendings(): readonly (readonly [name: string, Lendable])[] {
    return [...this.pools, ...[...this.#retiring].map(({ name, lendable }) => [name, lendable] as const)]
  }

  /** Lends as the record says now: a server may have been replaced, or its pool changed. */
  async refresh({ order, environment }: Partial<Refreshed> = {}): Promise<void> {
    if (order !== undefined) this.#order = order
    if (environment !== undefined) this.#tools = { ...this.#tools, host: { ...this.#tools.host, environment } }
    const now = await this.#tools.sessions.find(this.#record.id, this.#tools)
    if (now === undefined) return
    const exchanged = await this.#findExchanged(now)
    // Another call may have found a newer record meanwhile.
    if (this.#isOver || now.revision < this.#record.revision) return
    this.#record = now
    this.#abandonReplaced()
    for (const [name, opened] of [...this.#opened]) {
      const server = serverOf(now, name)
      const isSame = server?.container === opened.container || exchanged.has(name)
      if (server === undefined || !isSame) this.#close(name)
      else if (describe(server).lending !== opened.lending) this.#retire(name)
      else opened.container = server.container
    }
    this.#prepare()
  }

  /**
   * Finds the servers that have another container, while their copies are still what they would be now: only the state of
   * the server was exchanged, or it was started again as it was.
   */
  async #findExchanged(now: StoredRecord): Promise<ReadonlySet<string>> {
    const exchanged = new Set<string>()
    for (const [name, { container, spec }] of [...this.#opened]) {
      const [server, digest] = [serverOf(now, name), this.pools.get(name)?.digest]
      if (server === undefined || server.container === container || digest === undefined) continue
      if (describe(server).spec !== spec) continue
      const details = await this.#tools.runtime.inspectServer(server.container, this.#tools).catch(() => undefined)
      if (details?.labels[label.digest] === digest) exchanged.add(name)
    }
    return exchanged
  }

  containerEnded(container: string): void {
    for (const pool of this.pools.values()) pool.containerEnded(container)
  }

  /** Removes everything. */
  async end(options: CloseOptions = {}): Promise<void> {
    this.#isOver = true
    for (const one of this.#retiring) this.#doClose(one.lendable.close(options))
    await Promise.allSettled([...this.#retired.values(), ...[...this.#opened.values()].map(({ lendable }) => lendable)])
    for (const name of [...this.#opened.keys()]) this.#close(name, options)
    await Promise.all(this.#closing)
    await (await this.#session?.catch(() => undefined))?.end()
  }

  #pooled(): string[] {
    return Object.entries(this.#record.servers).flatMap(([name, { lending }]) => (lending?.pool ? [name] : []))
  }

  /** A failure is reported to those who lease. */
  #prepare(): void {
    for (const name of this.#pooled()) void this.find(name).catch(() => {})
  }

  async #open(name: string, server: ServerRecord): Promise<Lendable> {
    await this.#retired.get(name)
    if (this.#isOver) throw notLentAnyMore(name, this.#record.name)
    const { isolation, pool = DEFAULT_POOL } = server.lending ?? PLAIN
    const parent = this.#record
    if (isolation === 'database') return lendDatabases(name, server, { size: pool.size, parent }, this.#tools)
    const numbers = this.#numbers.get(name) ?? new Set()
    this.#numbers.set(name, numbers)
    const begin = (): Promise<PoolSession> => {
      this.#session ??= this.#begin()
      return this.#session
    }
    return this.#openCopies(name, { isolation, ...pool, parent, numbers, begin }, this.#order, this.#tools)
  }

  async #begin(): Promise<PoolSession> {
    try {
      const begun = await beginPoolSession(this.#record, () => this.#listener.onEnd(), this.#tools)
      this.#listener.onBegun(begun.id)
      return begun
    } catch (error) {
      this.#session = undefined
      throw error
    }
  }

  #close(name: string, options: CloseOptions = {}): void {
    const closed = this.#opened.get(name)?.lendable.then((lendable) => lendable.close(options))
    this.#opened.delete(name)
    this.pools.delete(name)
    this.#doClose(closed)
  }

  #doClose(closed: Promise<void> | undefined): void {
    const one: Promise<void> = Promise.allSettled([closed]).then(() => void this.#closing.delete(one))
    this.#closing.add(one)
  }

  /** Ends what is still lent in containers that were replaced. The new ones do not wait for it. */
  #abandonReplaced(): void {
    for (const { name, container, lendable } of this.#retiring) {
      if (serverOf(this.#record, name)?.container === container) continue
      this.#retired.delete(name)
      this.#doClose(lendable.close())
    }
  }

  /** The next lending of the server begins once it harms none of the leases that there are. */
  #retire(name: string): void {
    const opened = this.#opened.get(name)
    this.#opened.delete(name)
    this.pools.delete(name)
    const retire = async (): Promise<void> => {
      const lendable = await opened?.lendable.catch(() => undefined)
      if (opened === undefined || lendable === undefined) return
      if (this.#isOver) return lendable.close()
      const one = { name, container: opened.container, lendable }
      this.#retiring.add(one)
      await lendable.retire().finally(() => this.#retiring.delete(one))
    }
    this.#retired.set(name, Promise.allSettled([this.#retired.get(name), retire()]))
  }
}

function serverOf({ servers }: StoredRecord, name: string): ServerRecord | undefined {
  return Object.hasOwn(servers, name) ? servers[name] : undefined
}

/** What a record says of a server, except its container. */
function describe({ lending, ...server }: ServerRecord): Pick<Opened, 'lending' | 'spec'> {
  const spec = { ...server, container: undefined, sealed: undefined, isStopped: undefined }
  return { lending: JSON.stringify(lending), spec: JSON.stringify(spec) }
}
