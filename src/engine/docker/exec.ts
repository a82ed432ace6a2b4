import { isFailure, TestfleetError } from '../../model/failures.ts'
import type { CallOptions, ExecProcess, ExecRequest } from '../engine.ts'
import type { ApiCall } from './api-call.ts'
import { type Attached, attachConnection, attachStream } from './attach.ts'
import { type Client, path } from './client.ts'
import { asStdout, demultiplex } from './demultiplex.ts'
import { openOutput } from './exec-output.ts'
import { isOlder } from './negotiate.ts'
import type { Refusal } from './refusal.ts'
import { pause } from './repeat.ts'
import { commandNotFound, missingProgram } from './start-failure.ts'
import type { WireCreated, WireExec } from './wire.ts'

/**
 * Runs a command in a container. With input or a terminal the connection itself is taken over; without, the output is
 * an ordinary answer. The signal ends the connection, not the process inside: the engine has no call for that.
 */
export async function runExec(
  client: Client,
  id: string,
  request: ExecRequest,
  options: CallOptions = {},
): Promise<ExecProcess> {
  const { signal } = options
  const { Id: exec } = await client.object<WireCreated>({
    method: 'POST',
    path: path`/containers/${id}/exec`,
    json: execBody(request),
    ...client.within(options),
    refine: explainExec,
  })
  const attached = await attach(client, exec, request, options)
  const chunks = request.tty === undefined ? demultiplex(attached.bytes) : asStdout(attached.bytes)
  const output = openOutput(chunks, () => waitForExit(client, exec, { signal }))
  const resize = (rows: number, columns: number): Promise<void> => resizeExec(client, exec, rows, columns, { signal })
  if (request.tty !== undefined) await applySize(client, exec, request.tty, { signal })
  return { output, exitCode: output.exitCode, write: attached.write, endInput: attached.endInput, resize }
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
    // Known from API 1.42 on; passed over before.
    ...(tty === undefined ? {} : { ConsoleSize: [tty.rows, tty.columns] }),
  }
}

async function attach(client: Client, exec: string, request: ExecRequest, options: CallOptions): Promise<Attached> {
  const hasTty = request.tty !== undefined
  const call: ApiCall = {
    method: 'POST',
    path: path`/exec/${exec}/start`,
    json: { Detach: false, Tty: hasTty, ...(request.tty && { ConsoleSize: [request.tty.rows, request.tty.columns] }) },
    ...client.within(options),
    refine: explainExec,
  }
  if (!request.stdin && !hasTty) return attachStream(await client.stream(call))
  const headers = { connection: 'Upgrade', upgrade: 'tcp' }
  return attachConnection(await client.upgrade({ ...call, headers }), client.location, options.signal)
}

/** Newer engines and Podman refuse a program that is not there; Docker 20.10 says so in its output. */
function explainExec({ status, words }: Refusal): TestfleetError | undefined {
  const missing = status === 404 ? undefined : missingProgram(words)
  return missing === undefined ? undefined : commandNotFound(missing, words)
}

/** The engine notes the exit this long after the output's end at the most, on a machine with other work to do. */
const longestNoticeMs = 2000

/**
 * The engine notes the exit a moment after the output's end. A command that goes on has hardly closed its own output:
 * the connection was cut, which on a socket looks like an end.
 */
async function waitForExit(client: Client, exec: string, options: CallOptions): Promise<number> {
  const endedAt = performance.now()
  for (let pauseMs = 2; ; pauseMs = Math.min(pauseMs * 2, 250)) {
    const code = await exitCodeSoFar(client, exec, options)
    if (code !== undefined) return code
    if (performance.now() - endedAt > longestNoticeMs) {
      const message = `the output of a command ended while the command goes on, at ${client.location.url}`
      throw new TestfleetError('ENGINE_LOST', message, { hint: 'Did the engine stop? Look at its log.' })
    }
    await pause(pauseMs, options.signal)
  }
}

async function exitCodeSoFar(client: Client, exec: string, options: CallOptions): Promise<number | undefined> {
  const call = { method: 'GET', path: path`/exec/${exec}/json`, ...client.within(options) } as const
  const { Running, ExitCode } = await client.object<WireExec>(call)
  return Running ? undefined : (ExitCode ?? undefined)
}

/**
 * Before API 1.42 a terminal gets its size only once the process runs, which the engine does not tell: it is asked
 * until it takes the size, the process has ended, or a second is over and the terminal keeps the size that it has.
 */
async function applySize(
  client: Client,
  exec: string,
  size: { readonly rows: number; readonly columns: number },
  options: CallOptions,
): Promise<void> {
  if (!isOlder((await client.spoken(options)).api, '1.42')) return
  for (let pauseMs = 5; pauseMs < 1000; pauseMs *= 2) {
    try {
      return await resizeExec(client, exec, size.rows, size.columns, options)
    } catch (error) {
      if (!isFailure(error, 'ENGINE_REFUSED') && !isFailure(error, 'NOT_FOUND')) throw error
    }
    if ((await exitCodeSoFar(client, exec, options)) !== undefined) return
    await pause(pauseMs, options.signal)
  }
}

async function resizeExec(
  client: Client,
  exec: string,
  rows: number,
  columns: number,
  options: CallOptions,
): Promise<void> {
  await client.done({
    method: 'POST',
    path: path`/exec/${exec}/resize`,
    query: { h: rows, w: columns },
    ...client.within(options),
  })
}
