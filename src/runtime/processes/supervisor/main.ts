import { rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import type { ContainerChange } from '../../../model/container-event.ts'
import { isFailure } from '../../../model/failures.ts'
import { label } from '../../../model/labels.ts'
import { LogWriter } from '../log-writer.ts'
import type { ServerState, SupervisorAnswer, SupervisorOrder, SupervisorRequest } from '../protocol.ts'
import { appendLine, readCard, removeServerFolder, socketOf } from '../server-folder.ts'
import { endOrphan } from './end-orphan.ts'
import { AFTER_DEATH, guardServer } from './guard.ts'
import { Program } from './program.ts'

/**
 * The supervisor: the process that runs the program of one server without a container, keeps its output, and stays after
 * its end until the server is removed. The server's folder names its socket.
 */

// A closing terminal and Ctrl-C are meant for the program that started it.
process.on('SIGHUP', () => {}).on('SIGINT', () => {})

const LOOK_MS = 5000
const MAX_ORDER_BYTES = 64 * 1024 * 1024

const [, , , task, orphan] = process.argv
if (task === AFTER_DEATH && orphan !== undefined) void endOrphan(orphan, process.getuid?.())
else readOrder()

function readOrder(): void {
  let received = ''
  process.stdin.setEncoding('utf8').on('data', (text: string) => {
    received += text
    const end = received.indexOf('\n')
    if (end !== -1) {
      process.stdin.removeAllListeners().destroy()
      supervise(JSON.parse(received.slice(0, end)))
    } else if (received.length > MAX_ORDER_BYTES) process.exit(1)
  })
  process.stdin.on('end', () => process.exit(1))
}

function supervise({ folder, card, program: spec, eventsFile }: SupervisorOrder): void {
  const { id } = card
  const watchers = new Set<Watcher>()
  const note = (change: ContainerChange, atMs = Date.now()): void => {
    const server = card.labels[label.server]
    if (server === undefined) return
    try {
      appendLine(eventsFile, JSON.stringify({ ...change, server, id, atMs }))
    } catch {
      // The disk is full.
    }
  }
  const program = new Program(spec, {
    id,
    folder,
    userId: process.getuid?.(),
    log: new LogWriter(folder),
    note: (change) => note(change),
    onOutput() {
      for (const watcher of watchers) watcher.tell(program.isUp())
    },
  })
  note({ kind: 'created' }, card.createdAtMs)
  const dismiss = guardServer(folder, [process.execPath, ...process.execArgv, import.meta.filename])
  // An orderly end leaves nothing behind. After a crash, the guard does its work.
  process.once('exit', (code) => code === 0 && dismiss())

  const carryOut = async (request: SupervisorRequest): Promise<ServerState> => {
    const more = await carryOutIn(program, request)
    if (request.do === 'remove' && removeServerFolder(folder)) note({ kind: 'removed' })
    return { ...program.describe(), ...more, ...(request.do === 'describe' && { program: spec }) }
  }

  const serve = async (socket: Socket, request: SupervisorRequest): Promise<void> => {
    if (request.do === 'watch') return watch(socket, watchers, program)
    const answer = await carryOut(request).then(
      (ok): SupervisorAnswer => ({ ok }),
      (error: unknown): SupervisorAnswer => ({ failed: toFailed(error) }),
    )
    const isOver = request.do === 'remove' && 'ok' in answer
    socket.end(`${JSON.stringify(answer)}\n`, () => isOver && process.exit(0))
    if (isOver) setTimeout(() => process.exit(0), LOOK_MS)
  }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    readLine(socket, (line) => {
      const request = parse(line)
      if (request === undefined) socket.destroy()
      else void serve(socket, request)
    })
  })
  const socket = socketOf(folder)
  rmSync(socket, { force: true })
  server.listen(socket, () => process.stdout.write('ready\n', () => process.stdout.destroy()))

  const leave = (graceMs: number): void => {
    void program
      .stop(graceMs)
      .catch(() => {})
      .finally(() => process.exit(0))
  }
  process.once('SIGTERM', () => leave(spec.stopGraceMs))
  // Someone has emptied the temporary folder: no call would find the server again.
  setInterval(() => readCard(folder) ?? leave(0), LOOK_MS)
}

async function carryOutIn(program: Program, request: SupervisorRequest): Promise<Partial<ServerState>> {
  switch (request.do) {
    case 'start':
      await program.start()
      break
    case 'stop':
      return { wasKilled: await program.stop(request.graceMs) }
    case 'remove':
      await program.stop(0)
      break
    case 'kill':
      program.kill(request.signal)
      break
    case 'pause':
      program.pause()
      break
    case 'resume':
      program.resume()
      break
    case 'confirmPorts':
      program.confirmPorts()
      break
    case 'wait':
      await program.wait()
      break
    default:
  }
  return {}
}

interface Watcher {
  tell(isUp: boolean): void
}

/** Tells a client that there is more to read. A slow one gets one line for many changes. */
function watch(socket: Socket, watchers: Set<Watcher>, program: Program): void {
  let isBusy = false
  let hasMore = false
  const watcher: Watcher = {
    tell(isUp) {
      hasMore = isBusy
      if (!isUp && program.describe().state !== 'created') return void socket.end('{}\n')
      if (isBusy) return
      isBusy = true
      socket.write('{}\n', () => {
        isBusy = false
        if (hasMore) watcher.tell(program.isUp())
      })
    },
  }
  watchers.add(watcher)
  socket.once('close', () => watchers.delete(watcher))
  watcher.tell(program.isUp())
}

function parse(line: string): SupervisorRequest | undefined {
  try {
    return JSON.parse(line) as SupervisorRequest
  } catch {
    // The client was killed while it wrote.
    return undefined
  }
}

function readLine(socket: Socket, onLine: (line: string) => void): void {
  let text = ''
  socket.setEncoding('utf8').on('data', (chunk: string) => {
    const end = (text + chunk).indexOf('\n')
    text += chunk
    if (end === -1) return
    onLine(text.slice(0, end))
    socket.removeAllListeners('data').resume()
  })
}

function toFailed(error: unknown): Extract<SupervisorAnswer, { failed: unknown }>['failed'] {
  if (isFailure(error)) return { code: error.code, message: error.message, hint: error.hint }
  return { code: 'START_FAILED', message: (error as Error).message }
}
