import type { Socket } from 'node:net'
import { type FailureCode, failureCodes, TestfleetError } from '../model/failures.ts'
import { onAbort } from '../model/on-abort.ts'
import type { AnsweredError } from './protocol.ts'

/** An answer can have the report of a whole fleet. */
const MAX_ANSWER_LENGTH = 4 * 1024 ** 2

/** A connection to a lender. It keeps this process alive only while an answer is awaited. */
export interface LenderClient {
  /**
   * Sends a request and resolves with its answer. Fails with the answer's error, with LENDER_LOST when the lender has
   * ended, with TIMED_OUT, or with the reason of `signal`. The request is then taken back.
   */
  ask(request: object, options: AskOptions): Promise<Readonly<Record<string, unknown>>>
  /** Called once when the connection has ended. */
  onEnd(handler: () => void): void
  close(): void
}

export interface AskOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs: number
  /** Receives an answer that comes after the caller has given up. */
  readonly onLate?: ((answer: Readonly<Record<string, unknown>>) => void) | undefined
}

interface Question {
  readonly answer: (content: Readonly<Record<string, unknown>>) => void
  readonly fail: (error: unknown) => void
}

/** Speaks with a lender over an open connection. */
export function openConnection(socket: Socket): LenderClient {
  const questions = new Map<number, Question>()
  const late = new Map<number, AskOptions['onLate']>()
  const ends: (() => void)[] = []
  let isOver = false
  let lastId = 0
  const send = (message: object): void => void socket.write(`${JSON.stringify(message)}\n`)
  const rest = (): void => void (questions.size === 0 && socket.unref())
  /** Reason that the lender gave for closing the connection. */
  let reason: TestfleetError | undefined
  const end = (): void => {
    if (isOver) return
    isOver = true
    socket.destroy()
    for (const { fail } of questions.values()) fail(reason ?? lost('the lender has ended'))
    questions.clear()
    for (const handler of ends.splice(0)) handler()
  }
  socket.setNoDelay(true)
  socket.on('error', end).on('end', end).on('close', end)
  socket.unref()
  const onLine = (line: string): void => {
    const { id, error, ...content } = parseAnswer(line)
    const failure = error === undefined ? undefined : toFailure(error)
    if (typeof id !== 'number') reason = failure ?? reason
    else {
      const question = questions.get(id)
      if (failure !== undefined) question?.fail(failure)
      else if (question !== undefined) question.answer(content)
      else late.get(id)?.(content)
      questions.delete(id)
      late.delete(id)
      rest()
    }
  }
  readLines(socket, onLine, () => {
    reason = lost('the lender has sent too long an answer')
    end()
  })
  return {
    ask(request, { signal, timeoutMs, onLate }) {
      if (isOver) return Promise.reject(reason ?? lost('the lender has ended'))
      if (signal?.aborted === true) return Promise.reject(signal.reason)
      const id = ++lastId
      const asked = Promise.withResolvers<Readonly<Record<string, unknown>>>()
      questions.set(id, { answer: asked.resolve, fail: asked.reject })
      const giveUp = (error: unknown): void => {
        if (!questions.delete(id)) return
        late.set(id, onLate)
        send({ cancel: id })
        rest()
        asked.reject(error)
      }
      const clock = setTimeout(() => giveUp(notInTime(timeoutMs)), timeoutMs)
      const stopListening = onAbort(signal, () => giveUp(signal?.reason))
      socket.ref()
      send({ ...request, id })
      return asked.promise.finally(() => {
        clearTimeout(clock)
        stopListening()
      })
    },
    onEnd(handler) {
      if (isOver) handler()
      else ends.push(handler)
    },
    close: () => void socket.end(),
  }
}

function readLines(socket: Socket, onLine: (line: string) => void, onTooLong: () => void): void {
  let parts: string[] = []
  let length = 0
  socket.setEncoding('utf8').on('data', (chunk) => {
    const lines = String(chunk).split('\n')
    const rest = lines.pop() ?? ''
    for (const line of lines) {
      onLine(parts.join('') + line)
      parts = []
      length = 0
    }
    parts.push(rest)
    length += rest.length
    if (length > MAX_ANSWER_LENGTH) onTooLong()
  })
}

function parseAnswer(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function toFailure(error: unknown): TestfleetError {
  if (typeof error !== 'object' || error === null) return lost('the lender has answered with an unknown error')
  const { code, message, hint, server, output } = error as AnsweredError
  const known = Object.hasOwn(failureCodes, code) ? (code as FailureCode) : 'LENDER_LOST'
  return new TestfleetError(known, message, { hint, server, output })
}

function notInTime(timeoutMs: number): TestfleetError {
  return new TestfleetError('TIMED_OUT', `the lender has not answered within ${timeoutMs} ms`)
}

export function lost(message: string, hint = 'Call again: the next call starts a new lender.'): TestfleetError {
  return new TestfleetError('LENDER_LOST', message, { hint })
}
