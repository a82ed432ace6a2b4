import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { parse } from 'node:path'
import type { CallOptions } from '../../engine/engine.ts'
import { TestfleetError } from '../../model/failures.ts'
import { OUTLIVES_STARTER } from '../../model/host.ts'
import type { ServerState, SupervisorAnswer, SupervisorOrder, SupervisorRequest } from './protocol.ts'
import { socketOf } from './server-folder.ts'

/** Variable in the environment of a supervisor. Its value is the server's id. */
export const SUPERVISOR_MARK = 'TESTFLEET_SUPERVISOR'

/** A supervisor answers at once; a busy machine gives it little time. */
const ANSWER_MS = 60_000

/** Starts the supervisor of a server. It outlives this process, its terminal and its process group. */
export async function startSupervisor(order: SupervisorOrder, supervisorFile: string): Promise<void> {
  const child = spawn(process.execPath, [...SMALL, supervisorFile, OUTLIVES_STARTER], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    // It blocks no folder, and keeps nothing of the caller's environment in memory.
    cwd: parse(supervisorFile).root,
    env: { [SUPERVISOR_MARK]: order.card.id },
  })
  child.unref()
  const { stdin, stdout } = child
  for (const pipe of [stdin, stdout]) pipe.on('error', () => {})
  stdin.end(`${JSON.stringify(order)}\n`)
  const ready = new Promise<boolean>((resolve) => {
    stdout.once('data', () => resolve(true)).once('close', () => resolve(false))
    child.once('error', () => resolve(false)).once('exit', () => resolve(false))
  })
  const isReady = await Promise.race([ready, timeout(ANSWER_MS)])
  stdin.destroy()
  stdout.destroy()
  if (isReady === true) return
  child.kill('SIGKILL')
  throw new TestfleetError('START_FAILED', 'the supervisor of a server without a container cannot be started')
}

/** It has little to remember. */
const SMALL = ['--max-semi-space-size=1', '--max-old-space-size=64']

function timeout(ms: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, ms, undefined).unref())
}

/**
 * Asks the supervisor of a server. Undefined when it is gone. Fails as the supervisor says, and with ENGINE_TIMEOUT when it
 * does not answer; `timeoutMs` 0 waits without a limit.
 */
export async function ask(
  folder: string,
  request: SupervisorRequest,
  { signal, timeoutMs = ANSWER_MS }: CallOptions = {},
): Promise<ServerState | undefined> {
  signal?.throwIfAborted()
  const socket = await open(folder, request, signal)
  if (socket === undefined) return undefined
  if (timeoutMs > 0) socket.setTimeout(timeoutMs, () => socket.destroy(notAnswering()))
  try {
    let text = ''
    for await (const chunk of socket) text += chunk
    signal?.throwIfAborted()
    return text.endsWith('\n') ? read(JSON.parse(text) as SupervisorAnswer) : undefined
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof TestfleetError) throw error
    // It was killed.
    if ((error as NodeJS.ErrnoException).code?.startsWith('E')) return undefined
    throw error
  } finally {
    socket.destroy()
  }
}

function read(answer: SupervisorAnswer): ServerState {
  if ('ok' in answer) return answer.ok
  const { code, message, hint } = answer.failed
  throw new TestfleetError(code, message, { hint })
}

function notAnswering(): TestfleetError {
  return new TestfleetError('ENGINE_TIMEOUT', 'the supervisor of a server without a container does not answer', {
    hint: 'Look whether the machine is overloaded, or whether the supervisor was stopped by a signal.',
  })
}

/** Yields each time that a server has printed something, until it has ended or its supervisor is gone. */
export async function* watch(folder: string, { signal }: CallOptions = {}): AsyncGenerator<undefined, void, void> {
  signal?.throwIfAborted()
  const socket = await open(folder, { do: 'watch' }, signal)
  if (socket === undefined) return
  try {
    for await (const _ of socket) {
      yield
      signal?.throwIfAborted()
    }
  } catch (error) {
    signal?.throwIfAborted()
    if ((error as NodeJS.ErrnoException).code?.startsWith('E') !== true) throw error
  } finally {
    socket.destroy()
  }
  signal?.throwIfAborted()
}

/** Sends a request. The signal closes the connection at any time. Undefined when nobody listens. */
async function open(
  folder: string,
  request: SupervisorRequest,
  signal: AbortSignal | undefined,
): Promise<Socket | undefined> {
  const socket = connect({ path: socketOf(folder), ...(signal && { signal }) })
  try {
    await once(socket, 'connect')
  } catch {
    socket.destroy()
    signal?.throwIfAborted()
    return undefined
  }
  // A later error ends the iteration of the socket.
  socket.on('error', () => {})
  socket.setEncoding('utf8').write(`${JSON.stringify(request)}\n`)
  return socket
}
