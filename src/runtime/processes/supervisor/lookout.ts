import { lookAround } from '../process-tree.ts'
import type { KnownProcess } from '../server-folder.ts'

/** Pauses between looks: many programs go into the background just after their start. */
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 2000

/** Notes the processes of a program while it runs, so that each is found although nothing tells whose it is any more. */
export class Lookout {
  #known: readonly KnownProcess[] = []
  #timer: NodeJS.Timeout | undefined

  get known(): readonly KnownProcess[] {
    return this.#known
  }

  begin(root: KnownProcess, pauseMs = FIRST_PAUSE_MS): void {
    this.#timer = setTimeout(() => {
      this.#known = lookAround({ root, known: this.#known })
      this.begin(root, Math.min(pauseMs * 2, LONGEST_PAUSE_MS))
    }, pauseMs)
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#known = []
  }
}
