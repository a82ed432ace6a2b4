import { isDeepStrictEqual } from 'node:util'

/** What an object with asynchronous methods has answered. */
export interface Answers {
  /** Asks again. Resolves with whether every answer is the same. */
  areSame(signal: AbortSignal): Promise<boolean>
}

interface Question {
  readonly ask: (signal: AbortSignal) => Promise<unknown>
  readonly answer: unknown
}

/** Traces what is asked of `port`: with the same answers, the same is decided. What it answers at once does not count. */
export function traceAnswers<Port extends object>(
  port: Port,
): { readonly traced: Port; readonly readAnswers: () => Promise<Answers> } {
  const asked: Promise<Question>[] = []
  const traced = new Proxy(port, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function') return value
      return (...words: unknown[]) => {
        const answer: unknown = Reflect.apply(value, target, words)
        if (!(answer instanceof Promise)) return answer
        const ask = (signal: AbortSignal): Promise<unknown> => Reflect.apply(value, target, withSignal(words, signal))
        const question = answer.then((known) => ({ ask, answer: toComparable(known) }))
        question.catch(() => {})
        asked.push(question)
        return answer
      }
    },
  })
  return {
    traced,
    async readAnswers() {
      const questions = await Promise.all(asked)
      const isSame = async ({ ask, answer }: Question, signal: AbortSignal): Promise<boolean> =>
        isDeepStrictEqual(toComparable(await ask(signal)), answer)
      return {
        areSame: async (signal) => (await Promise.all(questions.map((one) => isSame(one, signal)))).every(Boolean),
      }
    },
  }
}

function withSignal(words: readonly unknown[], signal: AbortSignal): unknown[] {
  return words.map((word) =>
    typeof word === 'object' && word !== null && 'signal' in word ? { ...word, signal } : word,
  )
}

/** Lists without a fixed order: an engine lists ports and mounts in another one each time (20.10). */
const unordered = new Set(['servers', 'networks', 'volumes', 'published', 'mounts'])

/**
 * Copies data. Leaves out the states of servers, which are paused when they are asked for and run when they are asked for
 * again, and sorts lists without an order. Fails for what is not only data.
 */
function toComparable(value: unknown, hasOrder = false): unknown {
  if (value instanceof Uint8Array) return Uint8Array.from(value)
  if (Array.isArray(value)) {
    const items = value.map((one) => toComparable(one, true))
    return hasOrder ? items : items.map((one) => JSON.stringify(one)).sort()
  }
  if (typeof value === 'function') throw notData()
  if (typeof value !== 'object' || value === null) return value
  if (![Object.prototype, null].includes(Object.getPrototypeOf(value))) throw notData()
  const isServer = 'published' in value && Array.isArray(value.published)
  const entries = Object.entries(value).filter(([key]) => !(isServer && key === 'state'))
  return Object.fromEntries(entries.map(([key, one]) => [key, toComparable(one, !unordered.has(key))]))
}

function notData(): TypeError {
  return new TypeError('the answer cannot be compared with another one')
}
