import { isFailure } from '../../model/failures.ts'
import type { Client } from './client.ts'
import { pause } from './deadline.ts'
import { wordsOf } from './errors.ts'
import { createExec, inspectExec, startExec } from './exec.ts'
import { findLocalProcess, killLocalProcess, type LocalProcess } from './local-process.ts'

/** A command in a container that may still run. */
export interface RunningExec {
  readonly container: string
  /** The engine's id of it. */
  readonly exec: string
  /** Value of the variable `execMark`, which its programs inherit. */
  readonly mark: string
  readonly command: readonly string[]
  readonly user: string | undefined
}

/** Variable by which the programs of a command in a container are found. */
export const execMark = 'TESTFLEET_EXEC'

/** How long a program has to obey SIGTERM. With the engine's own time for three commands, all of it takes less than 2 s. */
const OBEY_MS = 500
/** After this, the caller learns that the command goes on. */
const GIVE_UP_MS = 5000
const FIRST_POLL_MS = 10
const LONGEST_POLL_MS = 100
const MAX_WORDS_LENGTH = 100

/**
 * Ends a command with all that it has started: by SIGTERM, then by SIGKILL. The engine has no call for that, so a shell in
 * the container looks for them. In a container without a shell, only the command itself is ended, where this machine
 * may do that. Returns what goes on, in words; undefined when nothing does.
 */
export async function endExec(client: Client, running: RunningExec): Promise<string | undefined> {
  const signal = AbortSignal.timeout(GIVE_UP_MS)
  let found: LocalProcess | undefined
  let why = 'its container has no shell that could end it'
  try {
    const { Pid } = await inspectExec(client, running.exec, { signal })
    found = await findLocalProcess(Pid ?? 0, running.container)
    if (await signalInside(client, running, 'TERM', found, signal)) {
      await waitForEnd(client, running, signal)
      while (!(await signalInside(client, running, 'KILL', found, signal))) await pause(LONGEST_POLL_MS, signal)
      return undefined
    }
  } catch (error) {
    why = signal.aborted ? `it did not end within ${GIVE_UP_MS / 1000} s` : wordsOf(error as Error)
  }
  if (found !== undefined && killLocalProcess(found.pid)) return undefined
  return (await isRunning(client, running)) ? describeLeft(running, why) : undefined
}

/** False for one whose container does not run any more, or is gone; true when nobody can say. */
async function isRunning(client: Client, { exec }: RunningExec): Promise<boolean> {
  try {
    const { Running } = await inspectExec(client, exec, { timeoutMs: GIVE_UP_MS })
    return Running === true
  } catch (error) {
    return !isFailure(error, 'NOT_FOUND')
  }
}

function describeLeft({ command, container }: RunningExec, why: string): string {
  const words = command.join(' ')
  const shown = words.length > MAX_WORDS_LENGTH ? `${words.slice(0, MAX_WORDS_LENGTH)}…` : words
  return `${shown} goes on in the container ${container.slice(0, 12)}: ${why}`
}

/** Waits a moment for a program that ends by itself once it is asked to. */
async function waitForEnd(client: Client, { exec }: RunningExec, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + OBEY_MS
  for (let pauseMs = FIRST_POLL_MS; performance.now() < giveUpAt; pauseMs = Math.min(pauseMs * 2, LONGEST_POLL_MS)) {
    const { Running } = await inspectExec(client, exec, { signal })
    if (!Running) return
    await pause(pauseMs, signal)
  }
}

/**
 * Sends a signal to every process of the command. With TERM, resolves with whether the container has a shell for it; with
 * KILL, with whether nothing is left.
 */
async function signalInside(
  client: Client,
  { container, mark, user }: RunningExec,
  name: 'TERM' | 'KILL',
  known: LocalProcess | undefined,
  signal: AbortSignal,
): Promise<boolean> {
  const command = ['sh', '-c', signalScript, 'sh', mark, name, String(known?.inside ?? '-')]
  const request = { command, ...(user === undefined ? {} : { user }) }
  try {
    const exec = await createExec(client, container, request, { signal })
    const shell = await startExec(client, exec, request, { signal }, async () => {})
    return (await shell.exitCode()) === 0
  } catch (error) {
    if (isFailure(error, 'COMMAND_NOT_FOUND')) return false
    throw error
  }
}

/**
 * Finds the processes that have the mark, the process whose number is known, and what belongs to the session or are
 * children of any of these: a program may have cleared its environment. Uses what every POSIX shell has built in.
 */
const signalScript = `
mark=$1 signal=$2 found=" $3 " rounds=0
is_marked() {
  while IFS= read -r line || [ -n "$line" ]; do
    case $line in *"$mark"*) return 0 ;; esac
  done
  return 1
}
while [ "$rounds" -lt 20 ]; do
  rounds=$((rounds + 1)) alive= others= more=yes
  while [ -n "$more" ]; do
    more=
    for folder in /proc/[0-9]*; do
      pid=\${folder#/proc/}
      case "$alive " in *" $pid "*) continue ;; esac
      { read -r stat < "$folder/stat"; } 2>/dev/null || continue
      set -- \${stat##*) }
      [ "$#" -gt 4 ] && [ "$1" != Z ] && [ "$1" != X ] && [ "$pid" -gt 1 ] || continue
      case $found in
        *" $pid "* | *" $2 "* | *" $4 "*) ;;
        *)
          case "$others " in *" $pid "*) continue ;; esac
          { is_marked < "$folder/environ"; } 2>/dev/null || { others="$others $pid"; continue; } ;;
      esac
      found="$found$pid " alive="$alive $pid" more=yes
    done
  done
  [ -n "$alive" ] || exit 0
  kill -"$signal" $alive 2>/dev/null
  [ "$signal" = KILL ] || exit 0
done
exit 1
`
