import type { Tools } from '../tools.ts'
import { type Answers, traceAnswers } from './trace-answers.ts'
import { type FileStates, traceFiles } from './trace-files.ts'

/** A plan also depends on the time, as certificates end. */
const VALID_MS = 5 * 60_000
/** Shortest pause after a plan whose basis is not reliable, for example because a file is too new. It is doubled each time. */
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

  /** Plans again, and notes what the plan is made from. Returns what `plan` does: why the copy is out of date. */
  async study(plan: (traced: Tools) => Promise<string | undefined>, tools: Tools): Promise<string | undefined> {
    this.#known = undefined
    this.#notBeforeMs = Date.now() + this.#pauseMs
    this.#pauseMs = Math.min(2 * this.#pauseMs, VALID_MS)
    const untilMs = Date.now() + VALID_MS
    const [engine, runtime] = [traceAnswers(tools.engine), traceAnswers(tools.runtime)]
    const traced = { ...tools, engine: engine.traced, runtime: runtime.traced }
    try {
      const { result, states: files, reliableFromMs } = await traceFiles(() => plan(traced))
      this.#notBeforeMs = Math.max(this.#notBeforeMs, reliableFromMs)
      if (result !== undefined || files === undefined) return result
      this.#known = { files, answers: [await engine.readAnswers(), await runtime.readAnswers()], untilMs }
      this.#pauseMs = PAUSE_MS
    } catch {
      // Each caller plans then, and gets the failure.
    }
    return undefined
  }

  /**
   * Begins to check that nothing has changed since, with the questions to the engine. The function that it returns looks at
   * the files when it is called. It resolves with false also when nothing is known.
   */
  beginCheck(signal: AbortSignal): () => Promise<boolean> {
    const known = this.#valid()
    if (known === undefined) return async () => false
    const asked = Promise.all(known.answers.map((answers) => answers.areSame(signal)))
    asked.catch(() => {})
    const isSame = async (): Promise<boolean> => (await known.files.areSame()) && (await asked).every(Boolean)
    return async () => {
      if (await isSame().catch(() => false)) return true
      this.#known = undefined
      return false
    }
  }

  #valid() {
    return this.#known !== undefined && Date.now() < this.#known.untilMs ? this.#known : undefined
  }
}
