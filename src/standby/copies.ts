import { formatSize } from '../formats/size.ts'
import { wordError } from '../formats/word-error.ts'
import type { Standby } from '../model/standby.ts'
import { reopenTools } from '../open-tools.ts'
import type { Tools } from '../tools.ts'
import { findStaleness } from './find-staleness.ts'
import { pauseCopy } from './give-copy.ts'
import { type Copy, startCopy } from './prepare-copy.ts'
import type { StandbyOrder, StandbyStatus } from './protocol.ts'

/** Pause after a copy could not be prepared. */
const RETRY_MS = 30_000
/** Time in which a copy that was taken out gets into use: its command starts, before another copy is prepared. */
const TAKE_MS = 500
/** While other copies are ready, another one is prepared when none was taken for this time. */
const QUIET_MS = 2000
const REMOVE_TIMEOUT_MS = 120_000
/** Free memory that stays for everything else on the machine. */
const RESERVE_BYTES = 128 * 1024 ** 2

/** The copies that wait to be taken. Prepares them one after the other, within the bounds of the settings. */
export class Copies {
  readonly #order: StandbyOrder
  readonly #tools: Tools
  readonly #readFree: () => Promise<number | undefined>
  readonly #ready: Copy[] = []
  readonly #removals = new Set<Promise<void>>()
  readonly #onChange: () => void
  #settings: Standby
  #filling: Promise<void> | undefined
  #problem: string | undefined
  #pauseProblem: string | undefined
  #retryAt = 0
  #isOver = false

  constructor(request: {
    readonly order: StandbyOrder
    readonly settings: Standby
    readonly tools: Tools
    /** Returns the memory of the engine's machine that is free; undefined when it is not known. */
    readonly readFree: () => Promise<number | undefined>
    readonly onChange: () => void
  }) {
    this.#order = request.order
    this.#settings = request.settings
    this.#tools = request.tools
    this.#readFree = request.readFree
    this.#onChange = request.onChange
  }

  get settings(): Standby {
    return this.#settings
  }

  /** Why there are fewer copies than wanted, or undefined. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Whether as many copies are ready as can be. */
  get isSettled(): boolean {
    return this.#filling === undefined
  }

  describe(): Pick<StandbyStatus, 'settings' | 'ready' | 'preparing' | 'memoryBytes' | 'isPaused' | 'problems'> {
    return {
      settings: this.#settings,
      ready: this.#ready.map(({ record }) => record.name),
      preparing: this.#filling === undefined ? 0 : 1,
      memoryBytes: sum(this.#ready.map(({ memoryBytes }) => memoryBytes)),
      isPaused: this.#pauseProblem === undefined,
      problems: [this.#problem, this.#pauseProblem].filter((problem) => problem !== undefined),
    }
  }

  /** Takes a ready copy out. Nobody else gets it. */
  take(): Copy | undefined {
    const copy = this.#ready.shift()
    if (copy !== undefined) this.#retryAt = Date.now() + (this.#ready.length > 0 ? QUIET_MS : TAKE_MS)
    return copy
  }

  /** Puts a copy back that nobody has used. */
  async putBack(copy: Copy): Promise<void> {
    try {
      await pauseCopy(copy, this.#later())
      // Another one may have been prepared in its place.
      if (this.#isFull()) return this.discard(copy)
      this.#ready.unshift(copy)
      this.#onChange()
    } catch {
      this.discard(copy)
    }
  }

  /** Removes a copy in the background. */
  discard(copy: Copy): void {
    const removal = copy.remove(this.#later()).finally(() => void this.#removals.delete(removal))
    this.#removals.add(removal)
  }

  /** Removes all ready copies, and prepares others. */
  renew(): void {
    for (const copy of this.#ready.splice(0)) this.discard(copy)
    this.#retryAt = 0
    this.fill()
  }

  set(settings: Standby): void {
    this.#settings = settings
    this.#retryAt = 0
    const { size, memoryBytes: limit = Number.POSITIVE_INFINITY } = settings
    for (const copy of this.#ready.splice(size)) this.discard(copy)
    while ((sum(this.#ready.map(({ memoryBytes }) => memoryBytes)) ?? 0) > limit)
      for (const copy of this.#ready.splice(-1)) this.discard(copy)
    this.fill()
  }

  /** Prepares copies until there are enough of them. */
  fill(): void {
    if (this.#isOver || this.#filling !== undefined || Date.now() < this.#retryAt) return
    this.#filling = this.#prepareAll().finally(() => {
      this.#filling = undefined
      this.#onChange()
    })
  }

  /** Removes every copy. Resolves once all of it is gone, or left to keepers. */
  async end(): Promise<void> {
    this.#isOver = true
    await this.#filling
    for (const copy of this.#ready.splice(0)) this.discard(copy)
    while (this.#removals.size > 0) await Promise.all(this.#removals)
  }

  async #prepareAll(): Promise<void> {
    while (!this.#isOver && this.#ready.length < this.#settings.size) {
      try {
        this.#problem = (await this.#findShortage()) ?? (await this.#prepareOne())
      } catch (error) {
        if (this.#isOver) return
        this.#problem = `a copy could not be prepared: ${wordError(error)}`
      }
      if (this.#problem !== undefined) return this.#retryLater()
    }
  }

  /** Returns why the copy that was prepared cannot stay. */
  async #prepareOne(): Promise<string | undefined> {
    const copy = await startCopy(this.#order.source, this.#reopen())
    let problem: string | undefined
    try {
      problem = this.#isFull() ? undefined : this.#findExcess(copy)
      if (problem === undefined && !this.#isFull()) {
        this.#pauseProblem = wordPauseProblem(await pauseCopy(copy, this.#tools))
        const stale = await this.#study(copy)
        problem = stale && `a copy was out of date as soon as it was ready: ${stale}`
      }
    } catch (error) {
      this.discard(copy)
      throw error
    }
    if (problem !== undefined || this.#isFull()) this.discard(copy)
    else {
      this.#ready.push(copy)
      this.#onChange()
    }
    return problem
  }

  /** Plans the ready copies again that a caller would have to plan. */
  async study(): Promise<void> {
    if (this.#isOver || Date.now() < this.#retryAt) return
    for (const copy of [...this.#ready]) {
      const stale = copy.basis.isWanted ? await this.#study(copy) : undefined
      if (stale !== undefined && this.#ready.includes(copy)) return this.renew()
    }
  }

  #study(copy: Copy): Promise<string | undefined> {
    return copy.basis.study((traced) => findStaleness(copy, this.#order, traced), this.#reopen())
  }

  #reopen(): Tools {
    return reopenTools(this.#tools, () => {}, this.#tools.signal)
  }

  /** Whether no other copy is wanted: the settings may have changed while it was made, or one was put back. */
  #isFull(): boolean {
    return this.#isOver || this.#ready.length >= this.#settings.size
  }

  #retryLater(): void {
    this.#retryAt = Date.now() + RETRY_MS
  }

  /** Why there is no room for another copy, as far as the copies tell that are there. */
  async #findShortage(): Promise<string | undefined> {
    const used = this.#ready.map(({ memoryBytes }) => memoryBytes)
    const largest = used.reduce<number>((most, one) => Math.max(most, one ?? 0), 0)
    const limit = this.#settings.memoryBytes
    const total = sum(used) ?? 0
    if (limit !== undefined && total + largest > limit)
      return `the copies use ${wordSize(total)}; another one would exceed the limit of ${wordSize(limit)}`
    const free = await this.#readFree()
    if (free === undefined || free - largest >= RESERVE_BYTES) return undefined
    return `the machine of the engine has only ${wordSize(free)} of free memory`
  }

  /** Why a copy that was prepared cannot stay. */
  #findExcess({ memoryBytes = 0 }: Copy): string | undefined {
    const limit = this.#settings.memoryBytes
    const total = (sum(this.#ready.map((copy) => copy.memoryBytes)) ?? 0) + memoryBytes
    if (limit === undefined || total <= limit) return undefined
    const others = this.#ready.length === 0 ? '' : `, and all copies together ${wordSize(total)}`
    return `a copy uses ${wordSize(memoryBytes)}${others}; the limit is ${wordSize(limit)}`
  }

  /** Tools for removals, which go on when the lender is asked to end. */
  #later(): Tools {
    const signal = AbortSignal.timeout(REMOVE_TIMEOUT_MS)
    return { ...this.#tools, signal, cancelSignal: signal }
  }
}

function wordPauseProblem(problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `the copies run, because the engine cannot pause them: ${problem}`
}

function sum(values: readonly (number | undefined)[]): number | undefined {
  return values.reduce<number | undefined>(
    (total, one) => (total === undefined || one === undefined ? undefined : total + one),
    0,
  )
}

/** Words a size in whole mebibytes. */
function wordSize(bytes: number): string {
  return formatSize(Math.max(1, Math.round(bytes / 1024 ** 2)) * 1024 ** 2)
}
