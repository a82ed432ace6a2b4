import { spawn } from 'node:child_process'
import { access, constants, open } from 'node:fs/promises'
import { constants as osConstants } from 'node:os'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'

/** A program with the words that it is called with. */
export interface Program {
  readonly path: string
  /** What it is told that it is called. */
  readonly argv0: string
  readonly words: readonly string[]
}

/**
 * Runs the program with our streams; resolves with its exit code, or 128 and the number of the signal that ended it.
 * A signal that reaches us is passed on, and the program has the time that it takes to end.
 */
export async function runProgram(
  { path, argv0, words }: Program,
  environment: Host['environment'],
  signal: AbortSignal,
): Promise<number> {
  signal.throwIfAborted()
  const child = spawn(path, words, { stdio: 'inherit', env: environment, argv0 })
  const forward = (signal: NodeJS.Signals): void => {
    // A terminal sends its own SIGINT to all of its foreground processes: passing it on would make two of one.
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, forward)
  // Whoever asks a second time does not wait: neither does what runs for him.
  const kill = (): void => void child.kill('SIGKILL')
  process.once('exit', kill)
  try {
    return await new Promise<number>((settle, reject) => {
      child.once('error', (error: NodeJS.ErrnoException) => {
        reject(cannotRun(path, wordFileError(error), error))
      })
      child.once('exit', (code, signal) => settle(code ?? 128 + (signal === null ? 0 : osConstants.signals[signal])))
    })
  } finally {
    process.off('exit', kill)
    for (const signal of signals) process.off(signal, forward)
  }
}

/** Fails with COMMAND_NOT_FOUND for a script that nothing can interpret: whatever starts it could only say that it is not there. */
export async function checkInterpreter(path: string): Promise<void> {
  const interpreter = /^#![ \t]*(\S+)/.exec(await readStart(path))?.[1]
  if (interpreter === undefined) return
  await access(interpreter, constants.X_OK).catch((error: unknown) => {
    throw cannotRun(path, 'the interpreter that its first line names is not there', error)
  })
}

/** As much as the system looks at. What cannot be read can still be run. */
async function readStart(path: string): Promise<string> {
  const file = await open(path).catch(() => undefined)
  if (file === undefined) return ''
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(256), 0, 256, 0)
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

function cannotRun(path: string, why: string, cause: unknown): TestfleetError {
  return new TestfleetError('COMMAND_NOT_FOUND', `${path} cannot be run: ${why}`, { cause })
}
