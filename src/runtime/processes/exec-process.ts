import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { constants } from 'node:os'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import type { CallOptions, ExecProcess, ExecRequest } from '../../engine/engine.ts'
import type { OutputChunk, OutputStream } from '../../model/container.ts'
import { TestfleetError } from '../../model/failures.ts'
import { onAbort } from '../../model/on-abort.ts'
import { readProcess } from './process-table.ts'
import { killTree, MARK } from './process-tree.ts'
import type { ProgramSpec } from './protocol.ts'
import { explainLength } from './supervisor/explain-length.ts'
import { findProgram } from './supervisor/find-program.ts'
import type { ProgramPlace } from './supervisor/start-program.ts'

/** Variable by which the processes of one command are found. */
const COMMAND_MARK = 'TESTFLEET_EXEC'

/**
 * Runs a command next to a server: on this machine, with the server's variables and names, in its folder. It has the
 * server's mark, so that it ends with it. Fails with COMMAND_NOT_FOUND, and with USAGE for what needs a container.
 */
export async function execProcess(
  { id, folder: temporaryFolder, userId }: ProgramPlace,
  { environment: ofServer, folder, names }: ProgramSpec,
  request: ExecRequest,
  { signal }: CallOptions,
): Promise<ExecProcess> {
  refuse(request)
  signal?.throwIfAborted()
  const key = randomBytes(12).toString('hex')
  const environment = { ...ofServer, ...request.environment, [MARK]: id, [COMMAND_MARK]: key }
  const cwd = resolve(folder, request.workingDir ?? '.')
  const path = findProgram({ command: request.command, folder: cwd, environment })
  const [argv0 = path, ...words] = request.command
  const program = { path, words }
  const asItIs = { program, environment, close() {} }
  const place = { environment, workingFolder: cwd, temporaryFolder, userId }
  // The log of the server says already what is not possible.
  const limits = { say() {}, signal: signal ?? new AbortController().signal }
  const view = names === undefined ? asItIs : await (await reach()).reachByName(program, names, place, limits)
  const start = (): ChildProcess => {
    signal?.throwIfAborted()
    return spawn(view.program.path, view.program.words, {
      ...(view === asItIs && { argv0 }),
      cwd,
      env: view.environment,
      detached: true,
      stdio: [request.stdin === true ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    })
  }
  const child = startOr(view.close, start, { command: request.command, environment })
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>
  exited.catch(() => {}).finally(view.close)
  await once(child, 'spawn').catch((cause: unknown) => {
    throw new TestfleetError('COMMAND_NOT_FOUND', `${path} cannot be run`, { cause })
  })
  const pid = child.pid ?? 0
  // Of a command that has ended already, the id still finds what it has started: during an exec, a process has no mark.
  const root = readProcess(pid) ?? { pid, startedAt: '' }
  const end = async (): Promise<void> => void (await killTree({ id: key, variable: COMMAND_MARK, userId, root }))
  return toExec(child, exited, end, signal)
}

/** Loaded on demand: many programs depend on no server with a name. */
const reach = () => import('./supervisor/reach-by-name.ts')

/** Closes what was opened for a program that cannot start. */
function startOr(
  close: () => void,
  start: () => ChildProcess,
  asked: Pick<ProgramSpec, 'command' | 'environment'>,
): ChildProcess {
  try {
    return start()
  } catch (error) {
    close()
    throw explainLength(error, asked)
  }
}

function refuse({ tty, user }: ExecRequest): void {
  const what = tty !== undefined ? 'a terminal' : user === undefined ? undefined : 'another user'
  if (what === undefined) return
  throw new TestfleetError('USAGE', `a command of a server without a container cannot have ${what}`, {
    hint: 'Run the command without it, or run it yourself: the server is on this machine.',
  })
}

/** Time for output that is still in the pipes when the command has ended: programs that it has started may hold them open. */
const DRAIN_MS = 500
const DRAIN_LOOK_MS = 50

function toExec(
  { stdin, stdout, stderr }: ChildProcess,
  exited: Promise<[number | null, NodeJS.Signals | null]>,
  end: () => Promise<void>,
  signal: AbortSignal | undefined,
): ExecProcess {
  stdin?.on('error', () => {})
  const over = Promise.withResolvers<void>()
  const close = (): void => {
    stdout?.destroy()
    stderr?.destroy()
  }
  let ending: Promise<void> | undefined
  const stopListening = onAbort(signal, () => {
    ending = end().finally(close)
    ending.catch(() => {})
  })
  // Either of them can end first.
  void Promise.allSettled([exited, over.promise]).then(stopListening)
  let isRead = false
  let isWaiting = false
  let drain: NodeJS.Timeout | undefined
  const beginDrain = (): void => {
    let leftMs = DRAIN_MS
    drain = setInterval(() => {
      // A slow reader gets everything.
      if (isWaiting) leftMs -= DRAIN_LOOK_MS
      if (leftMs <= 0) close()
    }, DRAIN_LOOK_MS)
  }
  async function* read(): AsyncGenerator<OutputChunk, void, void> {
    isRead = true
    let isComplete = false
    void exited.then(() => !isComplete && beginDrain()).catch(() => {})
    try {
      yield* merge({ stdout, stderr }, (now) => {
        isWaiting = now
      })
      isComplete = true
      // A caller that learns of the interruption finds none of its processes.
      await ending
      signal?.throwIfAborted()
    } finally {
      // A reader that leaves before the end wants no more of the command.
      if (!isComplete) await end()
      isComplete = true
      clearInterval(drain)
      over.resolve()
    }
  }
  return {
    output: { [Symbol.asyncIterator]: read },
    async exitCode() {
      // Waits one turn of the event loop for a reader. Without one, the output is dropped.
      await new Promise((wake) => setImmediate(wake))
      if (!isRead) for await (const _ of read());
      await over.promise
      const [code, endedBy] = await exited
      await ending
      signal?.throwIfAborted()
      return code ?? 128 + (endedBy === null ? 0 : constants.signals[endedBy])
    },
    async write(bytes) {
      if (stdin === null || stdin.destroyed || !stdin.writable) return
      if (!stdin.write(bytes)) await Promise.race([once(stdin, 'drain'), once(stdin, 'close'), exited]).catch(() => {})
    },
    endInput: () => void stdin?.end(),
    async resize() {},
  }
}

/** Yields what two streams deliver, in the order in which it arrives. Reports whether it waits for them. */
async function* merge(
  streams: Readonly<Record<OutputStream, Readable | null>>,
  onWait: (isWaiting: boolean) => void,
): AsyncGenerator<OutputChunk, void, void> {
  const waiting = new Map<OutputStream, Promise<{ stream: OutputStream; bytes: Buffer | undefined }>>()
  const iterators = Object.entries(streams).flatMap(([stream, output]) =>
    output === null ? [] : [[stream as OutputStream, output[Symbol.asyncIterator]()] as const],
  )
  const ask = (stream: OutputStream, chunks: AsyncIterator<Buffer>): void => {
    const next = chunks.next().then(
      ({ value }) => ({ stream, bytes: value as Buffer | undefined }),
      (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ERR_STREAM_PREMATURE_CLOSE') throw error
        return { stream, bytes: undefined }
      },
    )
    waiting.set(stream, next)
  }
  for (const [stream, chunks] of iterators) ask(stream, chunks)
  while (waiting.size > 0) {
    onWait(true)
    const { stream, bytes } = await Promise.race(waiting.values())
    onWait(false)
    waiting.delete(stream)
    if (bytes === undefined) continue
    const chunks = iterators.find(([name]) => name === stream)?.[1]
    if (chunks !== undefined) ask(stream, chunks)
    yield { stream, bytes }
  }
}
