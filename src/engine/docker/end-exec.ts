import { isFailure } from '../../model/failures.ts'
import type { Client } from './client.ts'
import { pause } from './deadline.ts'
import { describeConnectionError } from './errors.ts'
import { createExec, inspectExec, startExec } from './exec.ts'
import { findLocalProcess, killLocalProcess, type LocalProcess } from './local-process.ts'

/** A command in a container that may still be running. */
export interface RunningExec {
  readonly container: string
  /** Id of the command on the engine. */
  readonly exec: string
  /** Value of the variable `execMark`, which its programs inherit. */
  readonly mark: string
  readonly command: readonly string[]
  readonly user: string | undefined
}

/** Environment variable by which the programs of a command in a container are found. */
export const execMark = 'TESTFLEET_EXEC'

/**
 * Time for a program to obey SIGTERM. With the engine's own time for three commands, ending takes less than 2 s in
 * total.
 */
const OBEY_MS = 500
/** Time after which the caller learns that the command is still running. */
const GIVE_UP_MS = 5000
const FIRST_POLL_MS = 10
const LONGEST_POLL_MS = 100
const MAX_WORDS_LENGTH = 100

/**
 * Ends a command and all programs that it has started, first by SIGTERM, then by SIGKILL. The engine has no call for
 * that, so a shell in the container looks for them. In a container without a shell, only the command itself is ended,
 * if this machine may do that. Returns a description of what is still running; undefined when nothing is.
 */
export async function endExec(client: Client, running: RunningExec): Promise<string | undefined> {
  const signal = AbortSignal.timeout(GIVE_UP_MS)
  let found: LocalProcess | undefined
  let why = 'its container has no shell to end it'
  try {
    const { Pid } = await inspectExec(client, running.exec, { signal })
    found = await findLocalProcess(Pid ?? 0, running.container)
    if (await signalInside(client, running, 'TERM', found, signal)) {
      await waitForEnd(client, running, signal)
      while (!(await signalInside(client, running, 'KILL', found, signal))) await pause(LONGEST_POLL_MS, signal)
      return undefined
    }
  } catch (error) {
    why = signal.aborted ? `it did not end within ${GIVE_UP_MS / 1000} s` : describeConnectionError(error as Error)
  }
  if (found !== undefined && killLocalProcess(found.pid)) return undefined
  return (await isRunning(client, running)) ? describeLeft(running, why) : undefined
}

/** False when the container does not run any more, or is gone; true when unknown. */
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
  return `${shown} is still running in the container ${container.slice(0, 12)}: ${why}`
}

/** Waits a moment for a program that ends by itself when its input or output ends. */
async function waitForEnd(client: Client, { exec }: RunningExec, signal: AbortSignal): Promise<void> {
  const giveUpAt = performance.now() + OBEY_MS
  for (let pauseMs = FIRST_POLL_MS; performance.now() < giveUpAt; pauseMs = Math.min(pauseMs * 2, LONGEST_POLL_MS)) {
    const { Running } = await inspectExec(client, exec, { signal })
    if (!Running) return
    await pause(pauseMs, signal)
  }
}

/**
 * Sends a signal to every process of the command. With TERM, resolves with whether the container has a shell; with
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
 * Finds the processes that have the mark, the process with the known id, and all members of their sessions and children
 * of theirs: a program may have cleared its environment, and may have line breaks in its name, which is before the
 * numbers. Uses only built-ins of every POSIX shell.
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
      stat=
      { while IFS= read -r line; do stat=$line; done < "$folder/stat"; } 2>/dev/null || continue
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
