import { TestfleetError } from '../model/failures.ts'
import type { Isolation } from '../model/lending.ts'
import type { SecretValues } from '../servers/secrets.ts'
import { makeId } from '../sessions/make-id.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { describeLease, type Lendable, type Lent, MOST_WAITING, notLentAnyMore, tooMany } from './lendable.ts'
import { awaitCopy, type Copy, makeCopy, nameCopy, removeCopy } from './make-copy.ts'
import type { PlannedServer } from './planned-server.ts'
import { Pool, type PoolStatus } from './pool.ts'
import type { PoolSession } from './pool-session.ts'
import { openReset, type Reset } from './reset.ts'
import { Rest } from './rest.ts'

/** A copy that was resumed and does not answer by then is replaced. */
const ANSWER_TIMEOUT_MS = 10_000

export interface CopySettings {
  readonly isolation: Exclude<Isolation, 'database'>
  readonly size: number
  readonly isPaused: boolean
  readonly session: PoolSession
  readonly parent: StoredRecord
  /** Values of the server's secrets. */
  readonly secrets: SecretValues
  /** Numbers that copies of this server already have. */
  readonly numbers: Set<number>
}

/** Makes and removes copies. */
export type CopyWork = Pick<typeof import('./make-copy.ts'), 'makeCopy' | 'removeCopy'>

interface Member {
  readonly copy: Copy
  readonly lent: Lent
  /** Undefined where a copy that was lent is replaced. */
  readonly reset: Reset | undefined
}

/** Lends copies of a server's container. After a lease, a copy is reset or replaced. */
export class CopyLending implements Lendable {
  readonly isolation: Isolation
  readonly digest: string | undefined
  readonly #server: PlannedServer
  readonly #settings: CopySettings
  readonly #tools: Tools
  readonly #work: CopyWork
  #isClosed = false
  /** By container. */
  readonly #members = new Map<string, Member>()
  readonly #rest: Rest
  readonly #pool: Pool<Member>

  constructor(server: PlannedServer, settings: CopySettings, tools: Tools, work: CopyWork = { makeCopy, removeCopy }) {
    this.isolation = settings.isolation
    this.digest = server.digest
    this.#server = server
    this.#settings = settings
    this.#tools = tools
    this.#work = work
    this.#rest = new Rest(settings.isPaused, tools)
    const { name } = server
    this.#pool = new Pool<Member>(
      {
        make: () => this.#make(),
        restore: (member) => this.#restore(member),
        wake: (member) => this.#wake(member),
        discard: (member) => this.#discard(member),
      },
      {
        size: settings.size,
        mostWaiting: MOST_WAITING,
        tooMany: () => tooMany(name),
        closed: () => notLentAnyMore(name, settings.parent.name),
        died: () => died(name),
      },
    )
  }

  async take(signal: AbortSignal): Promise<Lent> {
    return (await this.#pool.take(signal)).lent
  }

  give({ container }: Lent): void {
    const member = this.#members.get(container)
    if (member === undefined) return
    // Of a server that was replaced: nobody gets it any more.
    if (this.#isClosed) void this.#discard(member).catch(() => {})
    else this.#pool.give(member)
  }

  containerEnded(container: string): void {
    const member = this.#members.get(container)
    if (member !== undefined) this.#pool.drop(member)
  }

  status(): PoolStatus {
    return this.#pool.status()
  }

  get problem(): string | undefined {
    const { problem } = this.#rest
    return problem && `${this.#server.name}: ${problem}`
  }

  /** Other copies may run beside those that are still lent. */
  retire(): Promise<void> {
    return this.close()
  }

  /** Removes the copies; those that are lent are removed after their lease. */
  async close(): Promise<void> {
    this.#isClosed = true
    const left = await this.#pool.close()
    await Promise.allSettled(left.map((member) => this.#discard(member)))
  }

  async #make(): Promise<Member> {
    const { numbers, session, secrets } = this.#settings
    const [number, change] = [firstFree(numbers), makeId()]
    numbers.add(number)
    let copy: Copy | undefined
    try {
      copy = await this.#work.makeCopy(this.#server, { number, change, session, secrets }, this.#tools)
      return await this.#enter(copy)
    } catch (error) {
      if (copy !== undefined) this.#members.delete(copy.record.container)
      await this.#remove({ name: nameCopy(this.#server.name, number), change }).catch(() => {})
      throw error
    }
  }

  /** Makes a copy a member of the pool. */
  async #enter(copy: Copy): Promise<Member> {
    const { session, parent, isolation } = this.#settings
    const { name } = this.#server
    const { container } = copy.record
    await session.record(copy.name, copy.record)
    const about = await describeLease(name, copy.record, copy.details, copy.secrets, parent, this.#tools)
    const awaitReady = () => awaitCopy(copy, this.#tools)
    const target = { server: copy.name, container, spec: copy.record, awaitReady }
    const member = {
      copy,
      lent: { copy: copy.name, session: session.name, container, ...about },
      reset: isolation === 'reset' ? openReset(target, this.#tools) : undefined,
    }
    this.#members.set(container, member)
    // Only the end of a member is noticed from here on.
    const { state } = await this.#tools.runtime.inspectServer(container, this.#tools)
    if (state !== 'running') throw died(name)
    await this.#rest.begin(container)
    return member
  }

  async #restore(member: Member): Promise<void> {
    if (member.reset === undefined) throw new Error('a copy without a recipe is replaced')
    await member.reset.run(this.#tools)
    this.#rest.beginLater(member.copy.record.container)
  }

  async #wake({ copy }: Member): Promise<void> {
    const wasPaused = await this.#rest.wake(copy.record.container)
    if (!wasPaused || copy.record.ready.length === 0) return
    const readyTimeoutMs = Math.min(copy.record.readyTimeoutMs, ANSWER_TIMEOUT_MS)
    await awaitCopy({ ...copy, record: { ...copy.record, readyTimeoutMs } }, this.#tools)
  }

  async #discard({ copy, reset }: Member): Promise<void> {
    this.#members.delete(copy.record.container)
    this.#rest.forget(copy.record.container)
    await Promise.allSettled([this.#remove(copy), reset?.close()])
  }

  async #remove({ name, change }: Pick<Copy, 'name' | 'change'>): Promise<void> {
    const { session, numbers } = this.#settings
    await this.#work.removeCopy({ change }, session, this.#tools)
    await session.record(name, undefined)
    // Two copies of one name would answer for each other: the number is free once nothing is left of its copy.
    numbers.delete(Number(name.slice(this.#server.name.length + 1)))
  }
}

function died(server: string): TestfleetError {
  return new TestfleetError('SERVER_DIED', `a copy of ${server} has ended`, { server })
}

function firstFree(numbers: ReadonlySet<number>): number {
  for (let number = 1; ; number += 1) if (!numbers.has(number)) return number
}
