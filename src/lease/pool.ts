import { setTimeout as sleep } from 'node:timers/promises'
import { onAbort } from '../model/on-abort.ts'

/** What a pool does with its members. Each may be slow; none runs twice for one member at a time. */
export interface Members<Member> {
  /** Makes a pristine member. */
  make(): Promise<Member>
  /** Makes a member pristine that was lent. A rejection means that it cannot be: it is discarded and replaced. */
  restore(member: Member): Promise<void>
  /** Prepares a pristine member for its lease. A rejection means that it is of no use: the next one is taken. */
  wake(member: Member): Promise<void>
  /** Removes a member. */
  discard(member: Member): Promise<void>
}

export interface PoolSettings {
  readonly size: number
  /** Most who wait at a time. */
  readonly mostWaiting: number
  /** Failure of those who come when too many wait. */
  readonly tooMany: () => Error
  /** Failure of those who ask or wait after the end. */
  readonly closed: () => Error
  /** Failure of a member that was dropped before it was ready. */
  readonly died: () => Error
}

export interface PoolStatus {
  readonly size: number
  readonly ready: number
  readonly lent: number
  readonly waiting: number
}

interface Waiter<Member> {
  resolve(member: Member): void
  reject(reason: unknown): void
}

const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000

/** A fixed number of members. One that was lent is made pristine, or replaced, before it is lent again. */
export class Pool<Member> {
  readonly #members: Members<Member>
  readonly #settings: PoolSettings
  readonly #ready: Member[] = []
  readonly #lent = new Set<Member>()
  /** Members that were found to be of no use while they were made, lent, or made pristine. */
  readonly #dropped = new Set<Member>()
  readonly #waiting: Waiter<Member>[] = []
  readonly #busy = new Set<Promise<void>>()
  readonly #stop = new AbortController()
  /** Number of members that are being made, or made pristine. */
  #coming = 0
  /** Number of those that could not be made, and are tried again after a pause. */
  #failing = 0
  #pauseMs = FIRST_PAUSE_MS

  constructor(members: Members<Member>, settings: PoolSettings) {
    this.#members = members
    this.#settings = settings
    this.#fill()
  }

  /** Resolves with a pristine member. Those who wait are served in turn. Rejects as `make` does when there is none left. */
  async take(signal?: AbortSignal): Promise<Member> {
    for (;;) {
      signal?.throwIfAborted()
      if (this.#stop.signal.aborted) throw this.#settings.closed()
      const member = await this.#takeOne(signal)
      try {
        await this.#members.wake(member)
        return member
      } catch {
        this.#lent.delete(member)
        this.#dropped.delete(member)
        this.#fill()
        this.#do(this.#members.discard(member))
      }
    }
  }

  /** Takes a member back. Its work is done in the background. */
  give(member: Member): void {
    if (!this.#lent.delete(member) || this.#stop.signal.aborted) return
    this.#coming += 1
    this.#do(this.#restoreOne(member))
  }

  /** Replaces a member that is found to be of no use: at once, or after its lease. */
  drop(member: Member): void {
    if (this.#stop.signal.aborted) return
    const at = this.#ready.indexOf(member)
    if (at === -1) {
      this.#dropped.add(member)
      return
    }
    this.#ready.splice(at, 1)
    this.#fill()
    this.#do(this.#members.discard(member))
  }

  status(): PoolStatus {
    const [ready, lent, waiting] = [this.#ready.length, this.#lent.size, this.#waiting.length]
    return { size: this.#settings.size, ready, lent, waiting }
  }

  /** Makes no more. Resolves, once nothing is being done with any member, with those that are not lent. */
  async close(): Promise<readonly Member[]> {
    this.#stop.abort()
    for (const { reject } of this.#waiting.splice(0)) reject(this.#settings.closed())
    while (this.#busy.size > 0) await Promise.all(this.#busy)
    return this.#ready.splice(0)
  }

  #do(work: Promise<unknown>): void {
    const one: Promise<void> = Promise.allSettled([work]).then(() => void this.#busy.delete(one))
    this.#busy.add(one)
  }

  #count(): number {
    return this.#ready.length + this.#lent.size + this.#coming
  }

  #fill(): void {
    while (!this.#stop.signal.aborted && this.#count() < this.#settings.size) {
      this.#coming += 1
      this.#do(this.#makeOne())
    }
  }

  async #makeOne(): Promise<void> {
    try {
      const member = await this.#makeUseful()
      this.#coming -= 1
      this.#pauseMs = FIRST_PAUSE_MS
      this.#offer(member)
    } catch (error) {
      this.#failing += 1
      // Those who wait are served by the other members, if there are any.
      if (this.#count() === this.#failing) for (const { reject } of this.#waiting.splice(0)) reject(error)
      await sleep(this.#pauseMs, undefined, { signal: this.#stop.signal, ref: false }).catch(() => {})
      this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
      this.#failing -= 1
      this.#coming -= 1
      this.#fill()
    }
  }

  async #makeUseful(): Promise<Member> {
    const member = await this.#members.make()
    if (!this.#dropped.delete(member)) return member
    this.#do(this.#members.discard(member))
    throw this.#settings.died()
  }

  #offer(member: Member): void {
    const waiter = this.#waiting.shift()
    if (waiter === undefined) {
      this.#ready.push(member)
      return
    }
    this.#lent.add(member)
    waiter.resolve(member)
  }

  async #restoreOne(member: Member): Promise<void> {
    try {
      await this.#members.restore(member)
      if (this.#dropped.has(member)) throw this.#settings.died()
      this.#coming -= 1
      this.#offer(member)
    } catch {
      this.#dropped.delete(member)
      this.#coming -= 1
      this.#fill()
      await this.#members.discard(member)
    }
  }

  async #takeOne(signal: AbortSignal | undefined): Promise<Member> {
    // The one that was lent last: it may still be awake.
    const member = this.#ready.pop()
    if (member !== undefined) {
      this.#lent.add(member)
      return member
    }
    if (this.#waiting.length >= this.#settings.mostWaiting) throw this.#settings.tooMany()
    const { promise, ...waiter } = Promise.withResolvers<Member>()
    const leave = (): void => {
      const at = this.#waiting.indexOf(waiter)
      if (at !== -1) this.#waiting.splice(at, 1)
      waiter.reject(signal?.reason)
    }
    this.#waiting.push(waiter)
    const stopListening = onAbort(signal, leave)
    this.#fill()
    return promise.finally(stopListening)
  }
}
