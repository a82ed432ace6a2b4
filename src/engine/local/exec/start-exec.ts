import { join } from 'node:path'
import type { ExecRequest } from '../../engine.ts'
import { runtimeRoot } from '../containers/life.ts'
import { type StartedProgram, startProgram } from '../programs.ts'
import type { Local } from '../types.ts'

/** Files of one command, in a folder of its own. */
export const execFiles = { process: 'process.json', pid: 'pidfile', log: 'log' } as const

/**
 * Starts the OCI runtime, which runs the command of a process file in a container. With a terminal, `script` gives it one,
 * because Node cannot open any; the first line of its output is then the terminal's path.
 */
export async function startExec(
  local: Local,
  id: string,
  { stdin, tty }: Pick<ExecRequest, 'stdin' | 'tty'>,
  folder: string,
): Promise<StartedProgram> {
  const at = (name: string): string => join(folder, name)
  const runtime = await local.runtime()
  const log = runtime === 'crun' ? `file:${at(execFiles.log)}` : at(execFiles.log)
  const words = [
    ...['--root', runtimeRoot(local), '--log', log, '--log-format', 'json', 'exec'],
    ...['--process', at(execFiles.process), '--pid-file', at(execFiles.pid), id],
  ]
  const input = stdin ? 'pipe' : 'ignore'
  if (tty === undefined) return startProgram(local.machine, runtime, words, [input, 'pipe', 'pipe'])
  const environment = {
    SHELL: '/bin/sh',
    ROWS: String(tty.rows),
    COLUMNS_WANTED: String(tty.columns),
    RUNTIME: runtime,
    RUN: runtimeRoot(local),
    LOG: log,
    PROCESS: at(execFiles.process),
    PIDFILE: at(execFiles.pid),
    CONTAINER: id,
  }
  // Its input stays open: at its end, script would end, too.
  const options = ['-q', '-e', '-f', '-E', 'never', '-c', TERMINAL_TEXT, '/dev/null']
  return startProgram(local.machine, 'script', options, ['pipe', 'pipe', 'pipe'], { environment })
}

/** Without any word of a request in it. The outer terminal changes no byte: the one in the container does. */
const TERMINAL_TEXT = [
  'stty raw -echo rows "$ROWS" cols "$COLUMNS_WANTED" && tty',
  'exec "$RUNTIME" --root "$RUN" --log "$LOG" --log-format json exec --process "$PROCESS" --pid-file "$PIDFILE" "$CONTAINER"',
].join(' && ')
