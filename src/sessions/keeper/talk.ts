import type { Readable, Writable } from 'node:stream'
import { type Answer, type Request, readLines } from './protocol.ts'

/** This end of a talk with a keeper. */
export interface Talk {
  /** The next line; undefined once the keeper has gone, or has said nothing for too long. */
  next(): Promise<string | undefined>
  /** Undefined likewise: a keeper that is gone holds nothing, and everything can do without it. */
  ask(request: Request): Promise<Answer | undefined>
  /** Says something that is not answered. */
  tell(request: Request): void
}

const ANSWER_TIMEOUT_MS = 5000

export function openTalk(input: Readable, output: Writable): Talk {
  const lines: string[] = []
  const waiting: ((line: string | undefined) => void)[] = []
  let isOver = false
  const end = (): void => {
    isOver = true
    for (const wake of waiting.splice(0)) wake(undefined)
  }
  output.on('error', end)
  input.on('error', end).on('end', end).on('close', end)
  input.on(
    'data',
    readLines((line) => {
      const wake = waiting.shift()
      if (wake === undefined) lines.push(line)
      else wake(line)
    }),
  )
  const next: Talk['next'] = () => {
    const line = lines.shift()
    if (line !== undefined || isOver) return Promise.resolve(line)
    return new Promise((resolve) => {
      const clock = setTimeout(end, ANSWER_TIMEOUT_MS)
      waiting.push((said) => {
        clearTimeout(clock)
        resolve(said)
      })
    })
  }
  const tell: Talk['tell'] = (request) => {
    if (!isOver && output.writable) output.write(`${JSON.stringify(request)}\n`)
  }
  return {
    next,
    tell,
    async ask(request) {
      tell(request)
      const line = await next()
      return line === undefined ? undefined : (JSON.parse(line) as Answer)
    },
  }
}
