import { type ChildProcess, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { parse } from 'node:path'
import { isFailure } from '../model/failures.ts'
import { type Host, OUTLIVES_STARTER } from '../model/host.ts'
import { isInOwnFolder } from '../sessions/keeper/protocol.ts'
import { type LenderClient, lost, openConnection } from './connection.ts'
import { type LenderOrder, type LenderReady, MAX_LINE_LENGTH } from './protocol.ts'

export type LenderHost = Pick<Host, 'lenderFile' | 'platform' | 'environment'>

/** Longest time from the start of the process until it serves. */
const START_TIMEOUT_MS = 60_000
const CONNECT_TIMEOUT_MS = 5000
/** Tries to connect again after this time while another process's lender gets ready, or ends. */
const RETRY_MS = 20

/**
 * Connects to the lender that serves the order's socket; starts it if there is none. `onStarted` is called when this call has
 * started it. Fails with LENDER_LOST.
 */
export async function startLender(
  order: LenderOrder,
  host: LenderHost,
  signal?: AbortSignal,
  onStarted = (): void => {},
  connectMs = CONNECT_TIMEOUT_MS,
): Promise<LenderClient> {
  const giveUpAt = performance.now() + START_TIMEOUT_MS
  let patienceMs = connectMs
  for (;;) {
    const client = await connectLender(order.socket, patienceMs)
    if (client !== undefined) return client
    const ready = await launch(order, host, signal)
    if (ready.problem !== undefined) throw lost(`the lender cannot start: ${ready.problem}`)
    if (ready.isServing) onStarted()
    // It has just begun to serve, and loads its code before it answers.
    patienceMs = START_TIMEOUT_MS
    if (performance.now() > giveUpAt) throw lost('the lender does not answer')
    // Another process may have started it, and it may be ending just now.
    if (!ready.isServing) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
  }
}

/** Connects to a lender. Undefined when no process serves the socket. Fails with SESSION_BUSY when it has too many clients. */
export async function connectLender(path: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<LenderClient | undefined> {
  try {
    if (!isInOwnFolder(path)) return undefined
  } catch {
    return undefined
  }
  const socket = connect(path)
  const clock = setTimeout(() => socket.destroy(), CONNECT_TIMEOUT_MS)
  const isConnected = await new Promise<boolean>((resolve) => {
    socket
      .once('connect', () => resolve(true))
      .once('error', () => resolve(false))
      .once('close', () => resolve(false))
  })
  clearTimeout(clock)
  if (!isConnected) return undefined
  const client = openConnection(socket)
  try {
    // A process that is being killed still accepts connections.
    await client.ask({ hello: true }, { timeoutMs })
    return client
  } catch (error) {
    client.close()
    if (isFailure(error, 'LENDER_LOST')) return undefined
    throw error
  }
}

/** Starts a process that outlives this one, its terminal and its process group. */
async function launch(order: LenderOrder, host: LenderHost, signal: AbortSignal | undefined): Promise<LenderReady> {
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
  const giveUp = (): void => void child.kill('SIGTERM')
  signal?.addEventListener('abort', giveUp, { once: true })
  try {
    const ready = await readReady(child)
    signal?.throwIfAborted()
    return ready
  } finally {
    clearTimeout(clock)
    signal?.removeEventListener('abort', giveUp)
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
    const { isServing, problem } = JSON.parse(text)
    return { isServing: isServing === true, ...(typeof problem === 'string' && { problem }) }
  } catch {
    return { isServing: false, problem: 'its answer is no JSON' }
  }
}

function readReady(child: ChildProcess): Promise<LenderReady> {
  return new Promise((resolve) => {
    const fail = (problem: string): void => resolve({ isServing: false, problem })
    child.once('error', (error) => fail(error.message))
    child.once('exit', (code, signal) => setImmediate(fail, `it ended with ${signal ?? `exit code ${code}`}`))
    let text = ''
    child.stdout?.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
      if (text.endsWith('\n') || text.length > MAX_LINE_LENGTH) resolve(parseReady(text))
    })
  })
}
