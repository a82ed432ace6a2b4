import { randomBytes } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OutputChunk } from '../../../model/container.ts'
import { isFailure, TestfleetError } from '../../../model/failures.ts'
import { onAbort } from '../../../model/on-abort.ts'
import type { CallOptions, ExecProcess, ExecRequest } from '../../engine.ts'
import { commandNotFound, missingProgram, shorten } from '../containers/explain-start.ts'
import { containerPath, needContainer, notRunning, readLife } from '../containers/life.ts'
import type { StartedProgram } from '../programs.ts'
import { makeFolder } from '../store.ts'
import type { Local } from '../types.ts'
import { endExec } from './end-exec.ts'
import { execMark } from './find-programs.ts'
import { mergeOutput } from './merge-output.ts'
import { processSpec } from './process-spec.ts'
import { execFiles, startExec } from './start-exec.ts'
import { openTerminal, type Terminal } from './terminal.ts'

/** Runs a command in a container that runs. The port says what it promises. */
export async function exec(
  local: Local,
  idOrName: string,
  request: ExecRequest,
  { signal }: CallOptions = {},
): Promise<ExecProcess> {
  signal?.throwIfAborted()
  const record = await needContainer(local, idOrName)
  const { state, run } = await readLife(local, record)
  if (state === 'paused')
    throw new TestfleetError('ENGINE_REFUSED', `the container ${record.name} is paused`, { hint: 'Resume it first.' })
  if (state !== 'running' || run === undefined) throw notRunning(record)
  const mark = randomBytes(16).toString('hex')
  const marked = { ...request, environment: { ...request.environment, [execMark]: mark } }
  const folder = await makeFolder(containerPath(local, record.id, `exec-${mark}`))
  try {
    const spec = await processSpec(local, record, marked, `/proc/${run.process.pid}/root`)
    await writeFile(join(folder, execFiles.process), spec, { mode: 0o600 })
    signal?.throwIfAborted()
    const child = await startExec(local, record.id, request, folder)
    const { id: container } = record
    return new Command(local, child, { container, first: run.process, mark, folder, request, signal }).open()
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

interface CommandDetails {
  readonly container: string
  readonly first: Parameters<typeof endExec>[0]['first']
  readonly mark: string
  readonly folder: string
  readonly request: ExecRequest
  readonly signal: AbortSignal | undefined
}

class Command {
  readonly #child: StartedProgram
  readonly #details: CommandDetails
  readonly #terminal: Terminal | undefined
  readonly #closed: Promise<number | undefined>
  readonly #outcome: Promise<number>
  readonly #stopListening: () => void
  /** Settled when the output has ended, or nobody reads it any more. */
  readonly #read = Promise.withResolvers<void>()
  #isRead = false
  #ending: Promise<void> | undefined

  constructor(local: Local, child: StartedProgram, details: CommandDetails) {
    this.#child = child
    this.#details = details
    this.#terminal = details.request.tty && openTerminal(local, child)
    child.stdin?.on('error', () => {})
    this.#closed = new Promise((resolve, reject) => {
      child.on('error', reject).on('close', (code) => resolve(code ?? undefined))
    })
    this.#outcome = this.#closed.then((code) => this.#judge(code))
    for (const promise of [this.#closed, this.#outcome, this.#read.promise]) promise.catch(() => {})
    this.#stopListening = onAbort(details.signal, () => void this.#end())
  }

  open(): ExecProcess {
    const { stdin } = this.#details.request
    return {
      output: { [Symbol.asyncIterator]: () => this.#output() },
      exitCode: () => this.#exitCode(),
      write: (bytes) => {
        if (!stdin) throw new TypeError('the process was started without standard input')
        return this.#write(bytes)
      },
      endInput: () => void this.#endInput(),
      resize: async (rows, columns) => this.#terminal?.resize(rows, columns),
    }
  }

  async *#output(): AsyncGenerator<OutputChunk, void, void> {
    this.#isRead = true
    let isWhole = false
    try {
      yield* this.#chunks()
      isWhole = true
      if (this.#details.signal?.aborted) await this.#ending
      this.#details.signal?.throwIfAborted()
      await this.#outcome
      this.#read.resolve()
    } catch (error) {
      this.#read.reject(error)
      throw error
    } finally {
      if (!isWhole) await this.#end()
      this.#read.resolve()
    }
  }

  /** Holds back what looks like the runtime's own error until its log shows who wrote it. */
  async *#chunks(): AsyncGenerator<OutputChunk, void, void> {
    const { stdout, stderr } = this.#child
    const held: OutputChunk[] = []
    let isFirst = true
    for await (const chunk of this.#terminal?.output() ?? mergeOutput({ stdout, stderr })) {
      if (held.length > 0 || (isFirst && isRuntimeError(chunk.bytes))) held.push(chunk)
      else yield chunk
      isFirst = false
      if (held.length > MOST_HELD) yield* held.splice(0)
    }
    if (held.length === 0) return
    if (this.#details.signal?.aborted !== true) await this.#outcome
    yield* held
  }

  async #exitCode(): Promise<number> {
    // Waits one turn of the event loop for a reader. Without one, the output is dropped.
    await new Promise((resolve) => setImmediate(resolve))
    if (!this.#isRead) for await (const _ of this.#output());
    await this.#read.promise
    return this.#outcome
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#terminal?.ready
    const { stdin } = this.#child
    if (stdin == null || !stdin.writable || stdin.write(bytes)) return
    await new Promise<void>((resolve) => {
      const done = (): void => {
        stdin.off('drain', done).off('close', done)
        resolve()
      }
      stdin.on('drain', done).on('close', done)
    })
  }

  async #endInput(): Promise<void> {
    await this.#terminal?.ready
    if (this.#details.request.stdin) this.#child.stdin?.end()
  }

  /** Returns the exit code, unless the runtime says that the command did not start. */
  async #judge(code: number | undefined): Promise<number> {
    const { folder, request } = this.#details
    this.#stopListening()
    const log = code === 0 ? '' : await readFile(join(folder, execFiles.log), 'utf8').catch(() => '')
    if (this.#ending === undefined) await rm(folder, { recursive: true, force: true })
    const words = errorIn(log)
    if (words !== undefined) throw explain(words)
    if (code !== undefined) return code
    throw new TestfleetError('ENGINE_LOST', `${request.command[0]} was lost: the program that ran it was killed`)
  }

  /** Ends the command and everything that it has started, once. */
  #end(): Promise<void> {
    this.#ending ??= this.#endNow()
    return this.#ending
  }

  async #endNow(): Promise<void> {
    const { folder, signal, request, ...rest } = this.#details
    const readPid = async (): Promise<number | undefined> => {
      const pid = Number(await readFile(join(folder, execFiles.pid), 'utf8').catch(() => ''))
      return pid > 1 ? pid : undefined
    }
    const closed = this.#closed.catch(() => {})
    // What is still written is dropped, so that the runtime does not wait for a reader.
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.destroy()
    const left = await endExec({ ...rest, command: request.command, readPid, closed }).catch(wordOf)
    this.#child.kill('SIGKILL')
    if (left !== undefined && isFailure(signal?.reason)) signal.reason.leftovers ??= left
    await rm(folder, { recursive: true, force: true })
  }
}

const MOST_HELD = 100

function wordOf(error: Error): string {
  return `the command may still be running: ${error.message}`
}

/** runc writes its own error to standard error, too. */
function isRuntimeError(bytes: Uint8Array): boolean {
  const start = Buffer.from(bytes.subarray(0, 64)).toString('latin1')
  return /^(?:exec failed: |time="|executable file |ERRO\[|\d{4}-\d\d-\d\dT|\{"|[\w.]+: )/.test(start)
}

/** Returns the last error in a log of the runtime: lines of JSON. */
function errorIn(log: string): string | undefined {
  for (const line of log.trim().split('\n').reverse()) {
    try {
      const { level, msg } = JSON.parse(line) as { level?: string; msg?: string }
      if ((level === 'error' || level === 'fatal') && msg !== undefined) return msg
    } catch {
      // Not a whole line.
    }
  }
  return undefined
}

function explain(words: string): TestfleetError {
  const missing = missingProgram(words)
  if (missing !== undefined) return commandNotFound(missing, words)
  return new TestfleetError('ENGINE_REFUSED', `the command could not be started: ${shorten(words)}`, { cause: words })
}
