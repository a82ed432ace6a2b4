import { setTimeout as sleep } from 'node:timers/promises'
import type { Probe } from './check.ts'

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 250
const GROWTH = 1.5

/** Probes every few milliseconds at first, then less and less often, until it holds or the signal fires. */
export async function poll(probe: Probe, signal: AbortSignal, onAnswer: (answer: string) => void): Promise<void> {
  let pauseMs = FIRST_PAUSE_MS
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted()
    const answer = await probe(signal, attempt)
    if (answer.isReady) return
    onAnswer(answer.answer)
    await sleep(pauseMs, undefined, { signal })
    pauseMs = Math.min(pauseMs * GROWTH, LONGEST_PAUSE_MS)
  }
}

const FIRST_PATIENCE_MS = 1000
const LONGEST_PATIENCE_MS = 15_000

/** How long one try waits for an answer once it is connected: a little at first, so that a lost packet costs little. */
export function patienceMs(attempt: number): number {
  return Math.min(FIRST_PATIENCE_MS * 2 ** attempt, LONGEST_PATIENCE_MS)
}
