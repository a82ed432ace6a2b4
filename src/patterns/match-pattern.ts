import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'

/** Time limit for one line. A line on which the pattern takes longer is reported. */
const PATIENCE_MS = 1000

/** Length of the reported part of such a line. */
const TOLD_LENGTH = 60

/**
 * Runs in a thread, because a regular expression can run for ever on one line, such as `(a+)+$` on fifty times `a` and
 * another letter, and nothing in its own thread could stop it.
 */
const program = `
const { parentPort, workerData } = require('node:worker_threads')
parentPort.on('message', ({ source, flags, lines, wanted, most }) => {
  const startedAt = performance.now()
  const pattern = new RegExp(source, flags)
  const found = []
  for (let index = 0; index < lines.length && found.length < most; index++) {
    workerData.underWay[0] = index
    if (pattern.test(lines[index]) === wanted) found.push(index)
  }
  parentPort.postMessage({ found: found[0] ?? -1, count: found.length, tookMs: performance.now() - startedAt })
})`

/** Asks for up to `most` lines that match the pattern, or that do not match it. */
interface Question {
  readonly source: string
  readonly flags: string
  readonly lines: readonly string[]
  readonly wanted: boolean
  readonly most: number
}

interface Answer {
  /** Index of the first line; -1 for none. */
  readonly found: number
  readonly count: number
  readonly tookMs: number
}

interface PatternThread {
  readonly worker: Worker
  /** Rejects when the thread crashes. */
  readonly failed: Promise<never>
  /** Index of the line that is being matched. */
  lineUnderWay(): number
}

/** Starts a thread and waits until it runs. A thread that does not is ended with the signal. */
async function startThread(signal?: AbortSignal): Promise<PatternThread> {
  signal?.throwIfAborted()
  const { Worker } = await import('node:worker_threads')
  const underWay = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const worker = new Worker(program, { eval: true, workerData: { underWay }, execArgv: [] })
  const failed = once(worker, 'error').then(([error]) => Promise.reject(error))
  // The pending call gets the error instead.
  failed.catch(() => {})
  // The start of the thread does not count as time of the pattern.
  try {
    await Promise.race([once(worker, 'online', { ...(signal && { signal }) }), failed])
  } catch (error) {
    await worker.terminate()
    signal?.throwIfAborted()
    throw error
  }
  return { worker, failed, lineUnderWay: () => underWay[0] ?? 0 }
}

/** A pattern in its own thread. Disposing of it ends the thread at any time. */
export interface PatternMatcher extends AsyncDisposable {
  /** Returns the number of matching lines, up to `most`; rejects when the signal fires. One call at a time. */
  countIn(lines: readonly string[], most: number): Promise<number>
}

export async function openPattern(
  source: string,
  signal: AbortSignal,
  onAnswer: (answer: string) => void,
  patienceMs = PATIENCE_MS,
): Promise<PatternMatcher> {
  const { worker, failed, lineUnderWay } = await startThread(signal)
  return {
    async countIn(lines, most) {
      const tell = (): void => onAnswer(describeSlowness(lines[lineUnderWay()] ?? ''))
      const timer = setTimeout(tell, patienceMs)
      try {
        const question = { source, flags: '', lines, wanted: true, most }
        return (await Promise.race([failed, ask(worker, question, signal)])).count
      } finally {
        clearTimeout(timer)
      }
    },
    async [Symbol.asyncDispose]() {
      await worker.terminate()
    },
  }
}

function describeSlowness(line: string): string {
  const start = line.length > TOLD_LENGTH ? `${line.slice(0, TOLD_LENGTH)}…` : line
  return `the pattern does not come to an end on the line ${JSON.stringify(start)}: write it without a repeat inside a repeat, or use \`text\``
}

async function ask(worker: Worker, question: Question, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted()
  worker.postMessage(question)
  try {
    const [answer] = await once(worker, 'message', { signal })
    return answer
  } catch (error) {
    signal.throwIfAborted()
    throw error
  }
}

/** Result of comparing texts with a pattern: the first text that does not match, or why they could not be compared. */
export type Mismatch =
  | { readonly kind: 'none' }
  | { readonly kind: 'differs'; readonly text: string }
  /** The pattern did not end in time on this text. */
  | { readonly kind: 'endless'; readonly text: string }
  /** Not compared, because an earlier pattern has used up the time. */
  | { readonly kind: 'unknown' }

/** Compares texts with patterns, one pattern at a time, within a common time limit. */
export interface PatternJudge extends AsyncDisposable {
  /** Finds the first text that the pattern does not match as a whole. */
  findMismatch(pattern: string, texts: readonly string[]): Promise<Mismatch>
}

/** Opens a judge. Its thread starts with the first call, because most fleets need none. */
export function openPatternJudge(budgetMs = PATIENCE_MS): PatternJudge {
  let starting: Promise<PatternThread> | undefined
  let leftMs = budgetMs
  let last: Promise<unknown> = Promise.resolve()
  const findNext = async (pattern: string, lines: readonly string[]): Promise<Mismatch> => {
    if (leftMs <= 0) return { kind: 'unknown' }
    starting ??= startThread()
    const { worker, failed, lineUnderWay } = await starting
    const over = new AbortController()
    const question = { source: wholly(pattern), flags: 'u', lines, wanted: false, most: 1 }
    const answer = Promise.race([ask(worker, question, over.signal), failed])
    const timer = setTimeout(endSoon, leftMs, over)
    // A pattern that is too large for JavaScript's regular expressions crashes the thread.
    const { found, tookMs } = await answer.catch(() => ({ found: undefined, tookMs: budgetMs }))
    clearTimeout(timer)
    leftMs -= tookMs
    if (found === undefined) {
      await worker.terminate()
      return { kind: 'endless', text: lines[lineUnderWay()] ?? '' }
    }
    return found === -1 ? { kind: 'none' } : { kind: 'differs', text: lines[found] ?? '' }
  }
  return {
    findMismatch(pattern, texts) {
      const answer = last.then(() => findNext(pattern, texts))
      last = answer.catch(() => {})
      return answer
    },
    async [Symbol.asyncDispose]() {
      await (await starting)?.worker.terminate()
    },
  }
}

/** If this thread was busy all the time, an answer may already have arrived, and is read first. */
function endSoon(over: AbortController): void {
  setImmediate(() => over.abort())
}

/** Does the same in this thread, for patterns of testfleet's own presets. */
export function findMismatchHere(pattern: string, texts: readonly string[]): Mismatch {
  const whole = new RegExp(wholly(pattern), 'u')
  const text = texts.find((one) => !whole.test(one))
  return text === undefined ? { kind: 'none' } : { kind: 'differs', text }
}

function wholly(pattern: string): string {
  return `^(?:${pattern})$`
}
