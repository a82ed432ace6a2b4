import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { CallOptions, EngineLocation, ExecProcess, ExecRequest } from '../engine.ts'
import { type Client, type Maybe, path } from './client.ts'
import type { HttpResponse, UpgradedConnection } from './connection.ts'
import { pause } from './deadline.ts'
import { missingProgram, type Refusal } from './dialect.ts'
import { commandNotFound, describeConnectionError, engineLost } from './errors.ts'
import { asStdout, demultiplex, openOutput } from './process-output.ts'

interface ExecJson {
  readonly Running?: Maybe<boolean>
  readonly ExitCode?: Maybe<number>
  /** Process id on the engine's machine. */
  readonly Pid?: Maybe<number>
}

/** Creates a command in a container and returns its id. Nothing runs yet. */
export async function createExec(
  client: Client,
  id: string,
  request: ExecRequest,
  options: CallOptions,
): Promise<string> {
  const create = { json: execBody(request), explainRefusal: explainExec }
  const created = await client.readObject<{ readonly Id: string }>(path`POST /containers/${id}/exec`, options, create)
  return created.Id
}

/**
 * Starts a created command. With input or a terminal, it takes over the connection; otherwise the output is an ordinary
 * answer. An abort ends only the connection, because the engine has no call that ends the command. `onBroken` is
 * awaited when the output, or the wait for the exit code, ends for any other reason than the command's own end.
 */
export async function startExec(
  client: Client,
  exec: string,
  request: ExecRequest,
  options: CallOptions,
  onBroken: () => Promise<void>,
): Promise<ExecProcess> {
  const { signal } = options
  const attached = await attach(client, exec, request, options)
  const chunks = request.tty === undefined ? demultiplex(attached.bytes) : asStdout(attached.bytes)
  const output = openOutput(unlessWhole(chunks, onBroken), async () => {
    try {
      return await waitForExit(client, exec, { signal })
    } catch (error) {
      await onBroken()
      throw error
    }
  })
  const resize = async (rows: number, columns: number): Promise<void> => {
    await client.send(path`POST /exec/${exec}/resize`, { signal }, { query: { h: rows, w: columns } })
  }
  const { tty } = request
  if (tty !== undefined) await applySize(client, exec, () => resize(tty.rows, tty.columns), { signal })
  return { output, exitCode: output.exitCode, write: attached.write, endInput: attached.endInput, resize }
}

/** Calls `onBroken` when the chunks fail, or when their reader stops early. */
async function* unlessWhole<Chunk>(
  chunks: AsyncGenerator<Chunk, void, void>,
  onBroken: () => Promise<void>,
): AsyncGenerator<Chunk, void, void> {
  let isWhole = false
  try {
    yield* chunks
    isWhole = true
  } finally {
    if (!isWhole) await onBroken()
  }
}

function execBody({ command, environment = {}, user, workingDir, stdin, tty }: ExecRequest): object {
  return {
    Cmd: command,
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    AttachStdin: stdin ?? false,
    AttachStdout: true,
    AttachStderr: true,
    Tty: tty !== undefined,
    ...(user === undefined ? {} : { User: user }),
    ...(workingDir === undefined ? {} : { WorkingDir: workingDir }),
    ...sizeOf(tty),
  }
}

/** Returns the initial size of a terminal, which is ignored before API 1.42. */
function sizeOf(tty: ExecRequest['tty']): object {
  return tty === undefined ? {} : { ConsoleSize: [tty.rows, tty.columns] }
}

async function attach(client: Client, exec: string, request: ExecRequest, options: CallOptions): Promise<Attached> {
  const { stdin, tty } = request
  const route = path`POST /exec/${exec}/start`
  const start = { json: { Detach: false, Tty: tty !== undefined, ...sizeOf(tty) }, explainRefusal: explainExec }
  if (!stdin && tty === undefined) return attachOutput(await client.openStream(route, options, start))
  const headers = { connection: 'Upgrade', upgrade: 'tcp' }
  return attachConnection(await client.upgrade(route, options, { ...start, headers }), client.location, options.signal)
}

/** Newer engines refuse a program that does not exist; Docker 20.10 and Podman report it in the output. */
function explainExec({ status, words }: Refusal): TestfleetError | undefined {
  const missing = status === 404 ? undefined : missingProgram(words)
  return missing === undefined ? undefined : commandNotFound(missing, words)
}

/** After the end of the output, even a busy engine knows the exit code within this time. */
const longestNoticeMs = 2000

/**
 * Waits for the exit code, which the engine knows a moment after the end of the output. A command that keeps running
 * has hardly closed its own output, so the connection was cut, which on a socket looks like an end.
 */
async function waitForExit(client: Client, exec: string, options: CallOptions): Promise<number> {
  const endedAt = performance.now()
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 2, 250)) {
    const code = await exitCodeSoFar(client, exec, options)
    if (code !== undefined) return code
    if (performance.now() - endedAt > longestNoticeMs) {
      throw engineLost(`the output of a command ended while the command is still running, at ${client.location.url}`)
    }
    await pause(pauseMs, options.signal)
  }
}

async function exitCodeSoFar(client: Client, exec: string, options: CallOptions): Promise<number | undefined> {
  const { Running, ExitCode } = await inspectExec(client, exec, options)
  return Running ? undefined : (ExitCode ?? undefined)
}

export function inspectExec(client: Client, exec: string, options: CallOptions): Promise<ExecJson> {
  return client.readObject<ExecJson>(path`GET /exec/${exec}/json`, options)
}

/**
 * Sets the size of a terminal. Some engines accept it only once the process runs, and do not report when that is. Tries
 * until the engine accepts the size, the process has ended, or a second has passed.
 */
async function applySize(
  client: Client,
  exec: string,
  resize: () => Promise<void>,
  options: CallOptions,
): Promise<void> {
  if ((await client.dialect(options)).startsTerminalSized) return
  for (let pauseMs = 5; pauseMs < 1000; pauseMs *= 2) {
    try {
      return await resize()
    } catch (error) {
      if (!isFailure(error, 'ENGINE_REFUSED') && !isFailure(error, 'NOT_FOUND')) throw error
    }
    if ((await exitCodeSoFar(client, exec, options)) !== undefined) return
    await pause(pauseMs, options.signal)
  }
}

/** Standard streams of a process. */
interface Attached extends Pick<ExecProcess, 'write' | 'endInput'> {
  readonly bytes: AsyncGenerator<Buffer, void, void>
}

/** Attaches to the output only. */
function attachOutput({ body }: HttpResponse): Attached {
  return {
    bytes: body,
    write() {
      throw new TypeError('the process was started without standard input')
    },
    endInput() {},
  }
}

/** Attaches to a connection that was handed over for input and output. */
function attachConnection(
  { socket, head }: UpgradedConnection,
  location: EngineLocation,
  signal: AbortSignal | undefined,
): Attached {
  // The reader reports why the connection broke. Input for an ended process is dropped.
  socket.on('error', () => {})
  if (head.length > 0) socket.unshift(head)
  let draining: Promise<void> | undefined
  return {
    bytes: readSocket(),
    async write(bytes) {
      if (!socket.writable || socket.write(bytes)) return
      draining ??= new Promise<void>((resolve) => {
        const done = (): void => {
          draining = undefined
          socket.off('drain', done).off('close', done)
          resolve()
        }
        socket.on('drain', done).on('close', done)
      })
      await draining
    },
    endInput: () => void socket.end(),
  }

  async function* readSocket(): Attached['bytes'] {
    try {
      for await (const chunk of socket) yield chunk as Buffer
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      if (error instanceof TestfleetError) throw error
      throw engineLost(
        `the connection to the engine at ${location.url} broke: ${describeConnectionError(error as Error)}`,
        error,
      )
    } finally {
      socket.destroy()
    }
    signal?.throwIfAborted()
  }
}
