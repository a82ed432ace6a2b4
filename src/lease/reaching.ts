import type { LenderClient } from '../lender/connection.ts'
import { untilAborted } from '../model/until-aborted.ts'

/** An attempt to reach a lender, for all leases that wait for it. It is cancelled when none of them waits any more. */
export class Reaching {
  readonly client: Promise<LenderClient>
  readonly #stop = new AbortController()
  readonly #onCancelled: () => void
  #waiting = 0
  #isOver = false

  constructor(connect: (signal: AbortSignal) => Promise<LenderClient>, onCancelled: () => void) {
    this.#onCancelled = onCancelled
    this.client = connect(this.#stop.signal).finally(() => {
      this.#isOver = true
    })
    this.client.catch(() => {})
  }

  async wait(signal: AbortSignal): Promise<LenderClient> {
    this.#waiting += 1
    try {
      return await untilAborted(this.client, signal)
    } finally {
      this.#waiting -= 1
      if (this.#waiting === 0 && !this.#isOver) {
        this.#onCancelled()
        this.#stop.abort(signal.reason)
      }
    }
  }
}
