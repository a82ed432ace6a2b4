import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, constants, open, stat } from 'node:fs/promises'
import { constants as osConstants } from 'node:os'
import { delimiter, extname, join, resolve } from 'node:path'
import { wordFileError } from '../formats/word-error.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { onAbort } from '../model/on-abort.ts'
import { toStdio } from './descriptors.ts'
import type { CommandGuard } from './guard-command.ts'
import { openOutputPipes, type ProgramStreams } from './read-streams.ts'

export type { ProgramStreams }

/** A program and its arguments. */
export interface Program {
  readonly path: string
  /** Name under which the program sees itself. */
  readonly argv0: string
  readonly words: readonly string[]
}

/** Finds the path of a program as a shell would. Fails with USAGE. */
export async function findProgram(
  name: string,
  host: Pick<Host, 'environment' | 'platform' | 'workingFolder'>,
): Promise<string> {
  const isPath = name.includes('/') || (host.platform === 'win32' && name.includes('\\'))
  const folders = isPath ? [''] : (host.environment.PATH ?? host.environment.Path ?? '').split(delimiter)
  const endings = host.platform === 'win32' && extname(name) === '' ? ['.exe', '.cmd', '.bat', ''] : ['']
  for (const folder of folders) {
    for (const ending of endings) {
      const path = resolve(host.workingFolder, join(folder, name + ending))
      if (await isProgram(path)) return path
    }
  }
  throw new TestfleetError('USAGE', `the program ${JSON.stringify(name)} does not exist`, {
    hint: isPath ? 'Check its path, and that it is executable.' : 'Check its spelling, and that it is on the PATH.',
  })
}

async function isProgram(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK)
    return (await stat(path)).isFile()
  } catch {
    return false
  }
}

/** Descriptors and signals that a program inherits from our caller. */
export interface Surroundings {
  /** Descriptors that it gets in addition to the standard streams. */
  readonly descriptors: readonly number[]
  /** Signals to this process that are passed on. Without any, the program is ended when the call's signal fires. */
  readonly forwarded: readonly NodeJS.Signals[]
  /** Where its output goes; undefined for our streams. With them, it has no standard input. */
  readonly streams?: ProgramStreams | undefined
  readonly guard: CommandGuard
  readonly onRunning?: (() => void) | undefined
}

/**
 * Runs the program with our streams, unless others are given. Resolves with its exit code, or with 128 plus the number of the signal that ended
 * it. Passes on signals that reach us, and waits until the program has ended.
 */
export async function runProgram(
  { path, argv0, words }: Program,
  environment: Host['environment'],
  signal: AbortSignal,
  { descriptors, forwarded, streams, guard, onRunning }: Surroundings,
): Promise<number> {
  signal.throwIfAborted()
  const pipes = streams && (await openOutputPipes(streams))
  const child = spawn(path, words, {
    stdio: toStdio(descriptors, pipes?.stdio),
    env: { ...environment, ...guard.environment },
    argv0,
  })
  guard.watch(child.pid)
  const drain = pipes?.read(child)
  onRunning?.()
  const forward = (signal: NodeJS.Signals): void => {
    // A terminal sends SIGINT to all foreground processes, so it is not passed on a second time.
    if (signal === 'SIGINT' && process.stdin.isTTY) return
    child.kill(signal)
  }
  for (const name of forwarded) process.on(name, forward)
  const stopEnding = endOnAbort(child, forwarded.length > 0 ? streams?.unread : signal)
  // A second interrupt does not wait, and the program must not outlive us.
  const kill = (): void => void (guard.isRunning || child.kill('SIGKILL'))
  process.once('exit', kill)
  try {
    const [code, endedBy] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    await drain?.()
    return code ?? 128 + (endedBy === null ? 0 : osConstants.signals[endedBy])
  } catch (error) {
    throw cannotRun(path, wordFileError(error), error)
  } finally {
    process.off('exit', kill)
    for (const name of forwarded) process.off(name, forward)
    stopEnding()
  }
}

/** Time that a program has to end after SIGTERM. */
const GRACE_MS = 10_000

/** Ends the program when the signal fires, as a person would: with SIGTERM, and after a while with SIGKILL. */
function endOnAbort(child: ChildProcess, signal: AbortSignal | undefined): () => void {
  let timer: NodeJS.Timeout | undefined
  const end = (): void => {
    child.kill('SIGTERM')
    timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
  }
  const stopListening = onAbort(signal, end)
  return () => {
    stopListening()
    clearTimeout(timer)
  }
}

/**
 * Fails with COMMAND_NOT_FOUND for a script whose interpreter is missing: the system would only report the script as
 * missing.
 */
export async function checkInterpreter(path: string): Promise<void> {
  const interpreter = /^#![ \t]*(\S+)/.exec(await readStart(path))?.[1]
  if (interpreter === undefined) return
  await access(interpreter, constants.X_OK).catch((error: unknown) => {
    throw cannotRun(path, 'the interpreter in its first line does not exist', error)
  })
}

/** Reads as much of the file as the system does. An unreadable program can still be run. */
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
