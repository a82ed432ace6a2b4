import type { Tools } from '../tools.ts'
import { findStaleness, type Started } from './find-staleness.ts'
import type { StandbySource } from './protocol.ts'
import { type Answers, traceAnswers } from './trace-answers.ts'
import { type FileStates, traceFiles } from './trace-files.ts'

/** A plan also depends on the time, as certificates end. */
const VALID_MS = 5 * 60_000
/** Pause after a plan whose basis is not reliable, for example because a file is too new. It is doubled each time. */
const PAUSE_MS = 1000

/**
 * What the plan for a copy was made from. A caller need not wait for another plan as long as all of it is as it was: the
 * files, and the answers of the engine. The variables of the environment are compared for each caller.
 */
export class PlanBasis {
  #known: { readonly files: FileStates; readonly answers: readonly Answers[]; readonly untilMs: number } | undefined
  #pauseMs = PAUSE_MS
  #notBeforeMs = 0

  /** Whether it is time to plan again, so that a caller need not do it. */
  get isWanted(): boolean {
    return this.#valid() === undefined && Date.now() >= this.#notBeforeMs
  }

  /** Plans again, and notes what the plan is made from. Returns why the copy is out of date, or undefined. */
  async study(copy: Started, source: StandbySource, tools: Tools): Promise<string | undefined> {
    this.#known = undefined
    this.#notBeforeMs = Date.now() + this.#pauseMs
    this.#pauseMs = Math.min(2 * this.#pauseMs, VALID_MS)
    const untilMs = Date.now() + VALID_MS
    const [engine, runtime] = [traceAnswers(tools.engine), traceAnswers(tools.runtime)]
    const traced = { ...tools, engine: engine.traced, runtime: runtime.traced }
    try {
      const { result, states: files } = await traceFiles(() => findStaleness(copy, source, traced))
      if (result !== undefined || files === undefined) return result
      this.#known = { files, answers: [await engine.readAnswers(), await runtime.readAnswers()], untilMs }
      this.#pauseMs = PAUSE_MS
    } catch {
      // Each caller plans then, and gets the failure.
    }
    return undefined
  }

  /** Whether nothing has changed since. False also when this is not known. */
  async isSame(signal: AbortSignal): Promise<boolean> {
    const known = this.#valid()
    if (known === undefined) return false
    const isSame = async (): Promise<boolean> => {
      if (!known.files.areSame()) return false
      return (await Promise.all(known.answers.map((answers) => answers.areSame(signal)))).every(Boolean)
    }
    if (await isSame().catch(() => false)) return true
    this.#known = undefined
    return false
  }

  #valid() {
    return this.#known !== undefined && Date.now() < this.#known.untilMs ? this.#known : undefined
  }
}
