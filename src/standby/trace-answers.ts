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

/**
 * Leaves out the states of servers, which are paused when they are asked for and run when they are asked for again, and
 * sorts every list: an engine lists ports in no fixed order (20.10).
 */
function toComparable(answer: unknown): unknown {
  return JSON.parse(
    JSON.stringify(answer ?? null, (key, value) => {
      if (key === 'state') return undefined
      return Array.isArray(value) ? value.map((one) => JSON.stringify(toComparable(one))).sort() : value
    }),
  )
}
