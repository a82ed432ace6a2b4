import { once } from 'node:events'
import type { Worker } from 'node:worker_threads'

/** A line that keeps the pattern busy for longer is reported. */
const PATIENCE_MS = 1000

/** How much of such a line is reported. */
const TOLD_LENGTH = 60

/**
 * A regular expression can run for ever on one line, such as `(a+)+$` on fifty times `a` and another letter. Nothing in
 * its own thread could end it.
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

/** Asks for the first `most` lines that have the pattern, or have it not. */
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
  /** Rejects when the thread ends with an error. */
  readonly failed: Promise<never>
  /** Index of the line that is being looked at. */
  lineUnderWay(): number
}

/** A thread that has begun to run. */
async function startThread(): Promise<PatternThread> {
  const { Worker } = await import('node:worker_threads')
  const underWay = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const worker = new Worker(program, { eval: true, workerData: { underWay }, execArgv: [] })
  const failed = once(worker, 'error').then(([error]) => Promise.reject(error))
  // The call that waits for an answer gets the error.
  failed.catch(() => {})
  // Its start takes time too, which is not the pattern's.
  await Promise.race([once(worker, 'online'), failed])
  return { worker, failed, lineUnderWay: () => underWay[0] ?? 0 }
}

/** A pattern in its own thread. Disposing of it ends the thread, whatever it is doing. */
export interface PatternMatcher extends AsyncDisposable {
  /** How many of the lines have it, up to `most`; rejects when the signal fires. Asked for one answer at a time. */
  countIn(lines: readonly string[], most: number): Promise<number>
}

export async function openPattern(
  source: string,
  signal: AbortSignal,
  onAnswer: (answer: string) => void,
  patienceMs = PATIENCE_MS,
): Promise<PatternMatcher> {
  const { worker, failed, lineUnderWay } = await startThread()
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
  return `the pattern does not come to an end on the line ${JSON.stringify(start)}: write it without a repeat inside a repeat, or name a text`
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

/** What is found of texts that a pattern has to match: the first that does not, or that they could not be compared. */
export type Mismatch =
  | { readonly kind: 'none' }
  | { readonly kind: 'differs'; readonly text: string }
  /** The pattern did not come to an end on this text in time. */
  | { readonly kind: 'endless'; readonly text: string }
  /** Nobody looked: a pattern before this one has used up the time. */
  | { readonly kind: 'unknown' }

/** Compares texts with patterns, one after the other, all of them within one time. */
export interface PatternJudge extends AsyncDisposable {
  /** The pattern has to match the whole of each text. */
  findMismatch(pattern: string, texts: readonly string[]): Promise<Mismatch>
}

/** Its thread is started by the first question: most fleets ask none. */
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
    // A pattern that is too large for the engine of the language ends the thread with an error.
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

/** Where this thread was busy for all that time, the answer may have come, and is read first. */
function endSoon(over: AbortController): void {
  setImmediate(() => over.abort())
}

/** The same in this thread, for patterns that testfleet brings along. */
export function findMismatchHere(pattern: string, texts: readonly string[]): Mismatch {
  const whole = new RegExp(wholly(pattern), 'u')
  const text = texts.find((one) => !whole.test(one))
  return text === undefined ? { kind: 'none' } : { kind: 'differs', text }
}

function wholly(pattern: string): string {
  return `^(?:${pattern})$`
}
