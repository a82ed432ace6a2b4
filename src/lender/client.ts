import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { parse } from 'node:path'
import { isFailure } from '../model/failures.ts'
import { type Host, OUTLIVES_STARTER } from '../model/host.ts'
import { onAbort } from '../model/on-abort.ts'
import { isInOwnFolder } from '../sessions/keeper/protocol.ts'
import { type LenderClient, lost, openConnection } from './connection.ts'
import { type LenderOrder, type LenderReady, MAX_LINE_LENGTH } from './protocol.ts'

export type LenderHost = Pick<Host, 'lenderFile' | 'platform' | 'environment'>

/** Longest time from the start of the process until it serves. */
const START_TIMEOUT_MS = 60_000
const CONNECT_TIMEOUT_MS = 5000
/** Tries to connect again after this time while another process's lender gets ready, or ends. */
const RETRY_MS = 20

/** Asks the lender's process to end. */
export type EndLender = () => void

/**
 * Connects to the lender that serves the order's socket; starts it if there is none. `onLaunch` receives what ends the lender
 * that this call has started, and undefined when another process's serves instead. Fails with LENDER_LOST.
 */
export async function startLender(
  order: LenderOrder,
  host: LenderHost,
  signal?: AbortSignal,
  onLaunch = (_end: EndLender | undefined): void => {},
  connectMs = CONNECT_TIMEOUT_MS,
): Promise<LenderClient> {
  const giveUpAt = performance.now() + START_TIMEOUT_MS
  let patienceMs = connectMs
  for (;;) {
    const client = await connectLender(order.socket, signal, patienceMs)
    if (client !== undefined) return client
    const { ready, end } = await launch(order, host, signal)
    if (ready.problem !== undefined) throw lost(`the lender cannot start: ${ready.problem}`, ready.hint)
    onLaunch(ready.isServing ? end : undefined)
    // One that has just begun to serve loads its code before it answers.
    patienceMs = ready.isServing ? START_TIMEOUT_MS : connectMs
    if (performance.now() > giveUpAt) throw lost('the lender does not answer')
    // Another process may have started it, and it may be ending just now.
    if (!ready.isServing) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

/**
 * Connects to a lender. Undefined when no process serves the socket. Fails with SESSION_BUSY when it has too many clients,
 * with TIMED_OUT when it does not answer, and with the reason of `signal`.
 */
export async function connectLender(
  path: string,
  signal?: AbortSignal,
  timeoutMs = CONNECT_TIMEOUT_MS,
): Promise<LenderClient | undefined> {
  signal?.throwIfAborted()
  try {
    if (!isInOwnFolder(path)) return undefined
  } catch {
    return undefined
  }
  const socket = connect(path)
  const giveUp = (): void => void socket.destroy()
  const clock = setTimeout(giveUp, CONNECT_TIMEOUT_MS)
  const stopListening = onAbort(signal, giveUp)
  const isConnected = await new Promise<boolean>((resolve) => {
    socket
      .once('connect', () => resolve(true))
      .once('error', () => resolve(false))
      .once('close', () => resolve(false))
  })
  clearTimeout(clock)
  stopListening()
  signal?.throwIfAborted()
  if (!isConnected) return undefined
  const client = openConnection(socket)
  try {
    // A process that is being killed still accepts connections.
    await client.ask({ hello: true }, { signal, timeoutMs })
    return client
  } catch (error) {
    client.close()
    if (isFailure(error, 'LENDER_LOST')) return undefined
    throw error
  }
}

/** Starts a process that outlives this one, its terminal and its process group. */
async function launch(
  order: LenderOrder,
  host: LenderHost,
  signal: AbortSignal | undefined,
): Promise<{ readonly ready: LenderReady; readonly end: EndLender }> {
  signal?.throwIfAborted()
  const child = spawn(process.execPath, [host.lenderFile, OUTLIVES_STARTER], {
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    cwd: parse(host.lenderFile).root,
    env: cleanEnvironment(host),
    windowsHide: true,
  })
  child.unref()
  child.stdin.on('error', () => {})
  child.stdin.end(`${JSON.stringify(order)}\n`)
  const clock = setTimeout(() => child.kill('SIGKILL'), START_TIMEOUT_MS)
  // It has not begun yet, and ends by itself if it has.
  const end = (): void => void child.kill('SIGTERM')
  const stopListening = onAbort(signal, end)
  try {
    const ready = await readReady(child)
    signal?.throwIfAborted()
    // It usually has ended by itself, but a wrong answer may come from a program that goes on.
    if (ready.problem !== undefined) end()
    return { ready, end }
  } finally {
    clearTimeout(clock)
    stopListening()
    child.stdout.destroy()
  }
}

/** What a process needs to find its folders, and nothing else of the caller's environment. */
function cleanEnvironment({ platform, environment }: LenderHost): Record<string, string> {
  const needed = platform === 'win32' ? ['SystemRoot', 'USERPROFILE', 'TEMP', 'LOCALAPPDATA'] : ['HOME', 'TMPDIR']
  return Object.fromEntries(needed.flatMap((name) => (environment[name] ? [[name, environment[name]]] : [])))
}

function parseReady(text: string): LenderReady {
  try {
    const { isServing, problem, hint } = JSON.parse(text)
    const texts = Object.entries({ problem, hint }).filter(([, value]) => typeof value === 'string')
    return { isServing: isServing === true, ...Object.fromEntries(texts) }
  } catch {
    return { isServing: false, problem: 'its answer is no JSON' }
  }
}

function readReady(child: ChildProcess): Promise<LenderReady> {
  return new Promise((resolve) => {
    const fail = (problem: string): void => resolve({ isServing: false, problem })
    child.once('error', (error) => fail(error.message))
    // Unlike its exit, this comes after its whole answer.
    child.once('close', (code, signal) => fail(`it ended with ${signal ?? `exit code ${code}`}`))
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      if (text.endsWith('\n') || text.length > MAX_LINE_LENGTH) resolve(parseReady(text))
    })
  })
}
