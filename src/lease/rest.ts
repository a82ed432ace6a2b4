import { wordError } from '../formats/word-error.ts'
import { isFailure } from '../model/failures.ts'
import type { Tools } from '../tools.ts'

/** How long a copy that was given back stays awake: the next lease often comes soon. */
const AWAKE_MS = 1000

type RestTools = Pick<Tools, 'runtime' | 'signal'>

/** Pauses copies that nobody uses. Copies run instead where the engine cannot pause them. */
export class Rest {
  readonly #tools: RestTools
  readonly #awakeMs: number
  readonly #clocks = new Map<string, NodeJS.Timeout>()
  /** Whether each container is paused, or may be, once that is known. */
  readonly #resting = new Map<string, Promise<boolean>>()
  #isWanted: boolean
  #problem: string | undefined

  constructor(isWanted: boolean, tools: RestTools, awakeMs = AWAKE_MS) {
    this.#isWanted = isWanted
    this.#tools = tools
    this.#awakeMs = awakeMs
  }

  /** Why the copies run although they are to be paused; undefined when they are not, or can be paused. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Pauses a container. Rejects when it does not run. */
  async begin(container: string): Promise<void> {
    if (!this.#isWanted) return
    const pausing = this.#pause(container)
    this.#resting.set(container, pausing)
    await pausing
  }

  /** Pauses a container that nobody uses by then. */
  beginLater(container: string): void {
    if (!this.#isWanted) return
    // A container that has ended cannot be paused. The engine reports its end.
    const clock = setTimeout(() => void this.begin(container).catch(() => {}), this.#awakeMs)
    this.#clocks.set(container, clock.unref())
  }

  /** Resumes a container if it may be paused. Resolves with whether it may have been. */
  async wake(container: string): Promise<boolean> {
    const resting = this.#resting.get(container)
    this.forget(container)
    if (resting === undefined || !(await resting)) return false
    await this.#tools.runtime.resumeServer(container, this.#tools)
    return true
  }

  /** Does nothing more with a container. */
  forget(container: string): void {
    clearTimeout(this.#clocks.get(container))
    this.#clocks.delete(container)
    this.#resting.delete(container)
  }

  async #pause(container: string): Promise<boolean> {
    const { runtime } = this.#tools
    try {
      await runtime.pauseServer(container, this.#tools)
      return true
    } catch (error) {
      const { state } = await runtime.inspectServer(container, this.#tools)
      if (state === 'paused') return true
      if (state !== 'running') throw error
      // An engine that has not answered may still pause it. The next rest asks again.
      if (!isFailure(error, 'ENGINE_REFUSED')) return true
      this.#isWanted = false
      this.#problem = `the copies run, because the engine cannot pause them: ${wordError(error)}`
      return false
    }
  }
}
