import { setTimeout as sleep } from 'node:timers/promises'
import type { Probe } from './check.ts'

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 250
const GROWTH = 1.5

/**
 * How long one try waits for an answer: a little at first, so that a lost packet costs little, and longer for a server
 * that stays silent. A refusal does not show how long a server takes to answer.
 */
const FIRST_PATIENCE_MS = 1000
const LONGEST_PATIENCE_MS = 15_000

/** Probes every few milliseconds at first, then less and less often, until it holds or the signal fires. */
export async function poll(probe: Probe, signal: AbortSignal, onAnswer: (answer: string) => void): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS
  let patienceMs = FIRST_PATIENCE_MS
  for (;;) {
    signal.throwIfAborted()
    const answer = await probe(signal, patienceMs)
    if (answer.isReady) return
    onAnswer(answer.answer)
    await sleep(pauseMs, undefined, { signal })
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS)
    if (answer.isSilent) patienceMs = Math.min(patienceMs * 2, LONGEST_PATIENCE_MS)
  }
}
