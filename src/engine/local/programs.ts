import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process'
import { TestfleetError } from '../../model/failures.ts'
import { onAbort } from '../../model/on-abort.ts'

/** How the programs are started that do the work: as they are, or inside the namespaces of a user. */
export interface Machine {
  /** Words before every program: none for root; nsenter with its options for an ordinary user. */
  readonly prefix: readonly string[]
}

export const rootMachine: Machine = { prefix: [] }

export interface ProgramRequest {
  readonly arguments: readonly string[]
  /** Written to its standard input. */
  readonly input?: string | Uint8Array
  readonly folder?: string
  /** Added to the few variables that a program gets. */
  readonly environment?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** Default: 30 seconds. */
  readonly timeoutMs?: number | undefined
  /** Limit of what is kept of each stream; what follows is dropped. Default: 64 KiB. */
  readonly maxBytes?: number
}

export interface ProgramResult {
  /** Undefined when a signal ended it. */
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

const DEFAULT_MS = 30_000
const DEFAULT_BYTES = 64 << 10

/** Where programs are looked for, whatever the PATH of the caller: those for administrators are often not in it. */
export const PROGRAM_FOLDERS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']

const PATH = PROGRAM_FOLDERS.join(':')

/**
 * Starts a program, by its name. Its words are never read by a shell. The child's `error` event
 * reports that it is not installed.
 */
export function startProgram(
  { prefix }: Machine,
  program: string,
  words: readonly string[],
  stdio: StdioOptions,
  { folder, environment }: Pick<ProgramRequest, 'folder' | 'environment'> = {},
): ChildProcess {
  const [first = program, ...rest] = [...prefix, program, ...words]
  return spawn(first, rest, {
    stdio,
    env: { PATH, LC_ALL: 'C', ...environment },
    ...(folder !== undefined && { cwd: folder }),
  })
}

/** A program that was started. */
export type StartedProgram = ChildProcess

/**
 * Runs a program to its end, and returns what it said. ENGINE_REFUSED when it cannot be started, ENGINE_TIMEOUT when its
 * time is over; the signal's reason once it has fired. In both cases the program is killed first.
 */
export function runProgram(machine: Machine, program: string, request: ProgramRequest): Promise<ProgramResult> {
  const { input, signal, timeoutMs = DEFAULT_MS, maxBytes = DEFAULT_BYTES } = request
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const stdin = input === undefined ? 'ignore' : 'pipe'
    const child = startProgram(machine, program, request.arguments, [stdin, 'pipe', 'pipe'], request)
    const said = { stdout: [] as Buffer[], stderr: [] as Buffer[] }
    let why: unknown
    const end = (reason: unknown): void => {
      why ??= reason
      child.kill('SIGKILL')
    }
    for (const name of ['stdout', 'stderr'] as const) {
      let left = maxBytes
      child[name]?.on('data', (chunk: Buffer) => {
        if (left > 0) said[name].push(chunk.subarray(0, left))
        left -= chunk.length
      })
    }
    const clock = setTimeout(() => end(tooSlow(program, timeoutMs)), timeoutMs)
    const stopListening = onAbort(signal, () => end(signal?.reason))
    const finish = (settle: () => void): void => {
      clearTimeout(clock)
      stopListening()
      settle()
    }
    child.on('error', (error: NodeJS.ErrnoException) => finish(() => reject(cannotStart(program, error))))
    child.on('close', (code) =>
      finish(() => {
        if (why !== undefined) return reject(why)
        const text = (name: 'stdout' | 'stderr') => Buffer.concat(said[name]).toString('utf8')
        resolve({ exitCode: code ?? undefined, stdout: text('stdout'), stderr: text('stderr') })
      }),
    )
    // A program that ends without reading its input is no fault of ours: its exit code tells.
    child.stdin?.on('error', () => {})
    child.stdin?.end(input)
  })
}

/** Runs a program that has to succeed, and returns its standard output. ENGINE_REFUSED with what it said, otherwise. */
export async function callProgram(machine: Machine, program: string, request: ProgramRequest): Promise<string> {
  const { exitCode, stdout, stderr } = await runProgram(machine, program, request)
  if (exitCode === 0) return stdout
  throw new TestfleetError(
    'ENGINE_REFUSED',
    `${program} failed (${exitCode ?? 'killed'}): ${lastWords(stderr || stdout)}`,
  )
}

const MOST_WORDS = 500

/** The end of what a program said, as one line. */
export function lastWords(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, ' ')
  return line.length > MOST_WORDS ? `…${line.slice(-MOST_WORDS)}` : line || 'it said nothing'
}

function tooSlow(program: string, timeoutMs: number): TestfleetError {
  return new TestfleetError('ENGINE_TIMEOUT', `${program} did not end within ${timeoutMs / 1000} s`)
}

function cannotStart(program: string, error: NodeJS.ErrnoException): TestfleetError {
  const why = error.code === 'ENOENT' ? `${program} is not installed` : `${program} cannot be started: ${error.message}`
  return new TestfleetError('ENGINE_REFUSED', why, { cause: error })
}
