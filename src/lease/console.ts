import type { CallOptions, ExecProcess } from '../engine/engine.ts'
import type { Hook } from '../model/hook.ts'
import { onAbort } from '../model/on-abort.ts'
import { fillHook, type LeaseTarget, type LeaseTools, lastLines, runStep, StepFailure } from './target.ts'

/**
 * A program that one `exec` keeps open inside a server. It is started by the first question, and again after it has
 * ended: by itself, with its server, or because an answer took too long.
 */
export interface Console {
  /**
   * Sends a text and resolves with the answer, up to and including `expect`. Questions are asked one after the other. Fails
   * with a StepFailure, which has the console's last words.
   */
  ask(question: Question, options?: CallOptions): Promise<string>
  /** Ends the program once it has answered. */
  close(): Promise<void>
  /** Ends the program at once. Each question that is not answered yet fails, and so does each later one. */
  kill(): void
}

export interface Question {
  readonly send: string
  /** Text that completes the answer. */
  readonly expect: string
  /** Text that shows that the question failed. */
  readonly fail?: string | undefined
  readonly timeoutMs: number
}

/** Only the end of a longer answer is kept. */
const MOST_CHARACTERS = 65_536
/** How long a console has to end after the end of its input. */
const CLOSE_MS = 1000

export function openConsole(target: LeaseTarget, hook: Hook, tools: LeaseTools): Console {
  let program: Program | undefined
  let queue: Promise<unknown> = Promise.resolve()
  let isKilled = false
  const refuseKilled = (): void => {
    if (isKilled) throw new StepFailure('is not done: its console was ended', [])
  }
  const take = (question: Question, outer: AbortSignal | undefined): Promise<string> => {
    if (program?.hasEnded) program = undefined
    let output: readonly string[] = []
    const ask = async (signal: AbortSignal): Promise<string> => {
      try {
        refuseKilled()
        program ??= await startProgram(target, hook, tools, signal)
        refuseKilled()
        return await program.ask(question, signal)
      } catch (error) {
        output = program?.lastWords() ?? []
        // The answer may still come, and would be taken for that of the next question.
        program?.kill()
        program = undefined
        throw error
      }
    }
    return runStep(question.timeoutMs, outer, ask, () => output)
  }
  return {
    ask(question, { signal } = {}) {
      const answer = queue.then(() => take(question, signal))
      queue = answer.catch(() => {})
      return answer
    },
    async close() {
      await queue
      const ending = program
      program = undefined
      await ending?.end()
    },
    kill() {
      isKilled = true
      program?.kill()
    },
  }
}

interface Program {
  readonly hasEnded: boolean
  ask(question: Question, signal: AbortSignal): Promise<string>
  lastWords(): readonly string[]
  kill(): void
  end(): Promise<void>
}

/** `signal` limits only the start. */
async function startProgram(target: LeaseTarget, hook: Hook, tools: LeaseTools, signal: AbortSignal): Promise<Program> {
  const life = new AbortController()
  const stopListening = onAbort(signal, () => life.abort(signal.reason))
  try {
    const { request, mask } = await fillHook(target, hook, tools, { signal })
    const running = await tools.runtime.exec(target.container, { ...request, stdin: true }, { signal: life.signal })
    return followProgram(running, life, (text) => lastLines(text, mask))
  } finally {
    stopListening()
  }
}

function followProgram(
  running: ExecProcess,
  life: AbortController,
  wordLast: (text: string) => readonly string[],
): Program {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  let text = ''
  let hasEnded = false
  let onText = (): void => {}
  const ended = Promise.withResolvers<never>()
  ended.promise.catch(() => {})
  const reading = read()

  async function read(): Promise<void> {
    try {
      for await (const { stream, bytes } of running.output) {
        text = (text + decoders[stream].decode(bytes, { stream: true })).slice(-MOST_CHARACTERS)
        onText()
      }
      hasEnded = true
      const exitCode = await running.exitCode()
      ended.reject(new StepFailure(`ended its console with exit code ${exitCode}`, wordLast(text)))
    } catch (error) {
      hasEnded = true
      ended.reject(error)
    }
  }

  function waitFor({ expect, fail }: Question): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    onText = () => {
      if (fail !== undefined && text.includes(fail)) reject(new StepFailure(`answered \`${fail}\``, wordLast(text)))
      const at = text.indexOf(expect)
      if (at !== -1) resolve(text.slice(0, at + expect.length))
    }
    return promise
  }

  return {
    get hasEnded() {
      return hasEnded
    },
    async ask(question, signal) {
      const gaveUp = Promise.withResolvers<never>()
      signal.throwIfAborted()
      const stopListening = onAbort(signal, () => gaveUp.reject(signal.reason))
      text = ''
      const answered = waitFor(question)
      try {
        const sent = running.write(Buffer.from(question.send)).then(() => answered)
        return await Promise.race([sent, answered, ended.promise, gaveUp.promise])
      } finally {
        onText = () => {}
        stopListening()
      }
    },
    lastWords: () => wordLast(text),
    kill: () => life.abort(new Error('the console is not needed any more')),
    async end() {
      running.endInput()
      const timer = setTimeout(() => life.abort(new Error('the console did not end')), CLOSE_MS)
      await reading
      clearTimeout(timer)
    },
  }
}
