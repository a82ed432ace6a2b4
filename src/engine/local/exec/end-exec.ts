import { setTimeout as sleep } from 'node:timers/promises'
import type { ProcessMark } from '../processes.ts'
import { sendSignal } from '../send-signal.ts'
import { findPrograms } from './find-programs.ts'

/** A command in a container that may still be running. */
export interface RunningExec {
  readonly container: string
  /** The container's first process. */
  readonly first: ProcessMark
  readonly mark: string
  readonly command: readonly string[]
  /** Returns the id of the command's process; undefined while it is being started. */
  readPid(): Promise<number | undefined>
  /** Resolves when the program that has started the command has ended. */
  readonly closed: Promise<unknown>
}

/** Time for a program to obey SIGTERM. */
const OBEY_MS = 500
/** Time after which the caller learns that the command is still running. */
const GIVE_UP_MS = 5000
const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [5, 100]
const MAX_WORDS_LENGTH = 100

/**
 * Ends a command and all programs that it has started, first by SIGTERM, then by SIGKILL. Needs no program in the container.
 * Returns a description of what is still running; undefined when nothing is.
 */
export async function endExec(running: RunningExec): Promise<string | undefined> {
  let isClosed = false
  const closed = running.closed.then(() => {
    isClosed = true
  })
  const { first, mark } = running
  const search = { first, mark, known: new Set<number>() }
  const asked = new Set<number>()
  const startedAt = performance.now()
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const pid = await running.readPid()
    if (pid !== undefined) search.known.add(pid)
    const alive = await findPrograms(search)
    const passedMs = performance.now() - startedAt
    if (alive.length === 0 && (isClosed || passedMs > GIVE_UP_MS)) return undefined
    if (passedMs > GIVE_UP_MS) return describeLeft(running)
    await signalAll(alive, passedMs > OBEY_MS ? 'SIGKILL' : 'SIGTERM', asked)
    await (isClosed ? sleep(pauseMs) : Promise.race([closed, sleep(pauseMs)]))
  }
}

/** Asks each process once to end, or kills them all. */
async function signalAll(
  alive: readonly ProcessMark[],
  signal: 'SIGTERM' | 'SIGKILL',
  asked: Set<number>,
): Promise<void> {
  for (const one of alive) {
    if (signal === 'SIGKILL' || !asked.has(one.pid)) await sendSignal(one, signal)
    asked.add(one.pid)
  }
}

function describeLeft({ command, container }: RunningExec): string {
  const words = command.join(' ')
  const shown = words.length > MAX_WORDS_LENGTH ? `${words.slice(0, MAX_WORDS_LENGTH)}…` : words
  return `${shown} is still running in the container ${container.slice(0, 12)}: it did not end within ${GIVE_UP_MS / 1000} s`
}
