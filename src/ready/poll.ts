import { setTimeout as sleep } from 'node:timers/promises'
import { type Answer, type Probe, silent, type Waiting } from './probe.ts'

/**
 * Receives each answer that was not the wanted one, whether it refuses the login, and how long the try took; undefined for
 * news of a try that goes on.
 */
export type OnAnswer = (answer: string, isRefusal?: boolean, tookMs?: number) => void

const FIRST_PAUSE_MS = 5
const LONGEST_PAUSE_MS = 250
/** A try in the container takes the engine 50 ms or more, so the pauses grow soon. */
const GROWTH = 1.5
/** A try over the network costs little: a server that is ready waits at most a fifth of the time so far, and 5 ms. */
const NETWORK_GROWTH = 1.2

/** How long a connection may take: little at first, so that a lost packet costs little. */
const FIRST_CONNECT_MS = 1000
const LONGEST_CONNECT_MS = 15_000

/** Longest time of a timer. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/**
 * Probes every few milliseconds at first, then less and less often, until the check passes or the signal fires. Runs one
 * try at a time, and each may take `patienceMs`. Resolves with how long the last try took, in milliseconds.
 */
export async function poll(
  probe: Probe,
  signal: AbortSignal,
  onAnswer: OnAnswer,
  patienceMs: () => number = () => LONGEST_TIMER_MS,
  growth = GROWTH,
): Promise<number> {
  const pauses = pausesMs(growth)
  let connectMs = FIRST_CONNECT_MS
  for (;;) {
    signal.throwIfAborted()
    const beganAtMs = performance.now()
    const answer = await probe(signal, patienceMs(), { connectMs, onWait: onAnswer })
    const tookMs = performance.now() - beganAtMs
    if (answer.isReady) return tookMs
    onAnswer(answer.answer, answer.isRefusal, tookMs)
    await sleep(pauses.next().value, undefined, { signal })
    if (answer.isSilent) connectMs = Math.min(connectMs * 2, LONGEST_CONNECT_MS)
  }
}

/** The pauses between the tries, without end. */
export function* pausesMs(growth = NETWORK_GROWTH): Generator<number, never> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * growth, LONGEST_PAUSE_MS)) yield pauseMs
}

/** A try reports its findings this long before the time is over. */
const REPORT_MS = 100

/** A server that has been silent for this long may have forgotten the connection. */
const SECOND_TRY_MS = 5000
const SECOND_PAUSE_MS = 1000

/**
 * Polls a server over the network. A try may last until the time is over: a server that handles one connection at a time
 * would have to answer each abandoned one before it comes to the next.
 */
export async function pollNetwork(
  probe: Probe,
  signal: AbortSignal,
  onAnswer: OnAnswer,
  untilMs: number,
  secondTryMs = SECOND_TRY_MS,
): Promise<number> {
  const timeLeft = (): number => Math.max(Math.round(untilMs - performance.now()) - REPORT_MS, REPORT_MS)
  return poll(withSecondTry(probe, secondTryMs), signal, onAnswer, timeLeft, NETWORK_GROWTH)
}

/**
 * Starts a second try while the first one has no answer: the server may have accepted its connection before a restart.
 * The first try goes on until the second gets an answer, because a server that handles one connection at a time refuses
 * the second, or leaves it waiting.
 */
function withSecondTry(probe: Probe, secondTryMs: number): Probe {
  return async (signal, patienceMs, waiting = { connectMs: patienceMs, onWait() {} }) => {
    const done = new AbortController()
    const both = AbortSignal.any([signal, done.signal])
    let second: Answer | undefined
    const askAgain = async (): Promise<Answer> => {
      let secondMs = secondTryMs
      for (let pauseMs = secondTryMs; ; pauseMs = SECOND_PAUSE_MS) {
        await sleep(pauseMs, undefined, { signal: both })
        second = await probe(both, secondMs, quietly(waiting))
        if (second.isReady || !(second.isSilent || second.isUnheard)) return second
        if (second.isSilent) secondMs *= 2
      }
    }
    const again = askAgain()
    again.catch(() => {})
    try {
      const answer = await Promise.race([probe(both, patienceMs, waiting), again])
      return answer.isReady || !answer.isSilent || second === undefined ? answer : addSecond(answer.answer, second)
    } finally {
      done.abort()
    }
  }
}

function quietly({ connectMs }: Waiting): Waiting {
  return { connectMs, onWait() {} }
}

function addSecond(first: string, second: Answer): Answer {
  if (second.isReady || second.isSilent) return silent(first)
  return silent(`${first}; a second connection: ${second.answer}`)
}
