import { join } from 'node:path'
import { mainFile, runTestfleet } from './command.ts'

/** What a person does at the terminal. `wait` is a regular expression for what is printed from then on. */
export type TerminalStep =
  | { readonly wait: string }
  /** Waits until somebody else has made this file. */
  | { readonly file: string }
  | { readonly send: string }
  | { readonly resize: readonly [rows: number, columns: number] }
  | { readonly signal: NodeJS.Signals }

export interface TerminalResult {
  readonly exitCode: number
  readonly output: string
  /** Whether the terminal was raw when something was sent. */
  readonly wasRaw: boolean
  /** Whether the terminal is as it was before the call. */
  readonly isCooked: boolean
}

/** Runs the command at a terminal of 24 rows and 80 columns. */
export async function runAtTerminal(
  words: readonly string[],
  cwd: string,
  steps: readonly TerminalStep[],
): Promise<TerminalResult> {
  const program = join(import.meta.dirname, 'terminal.py')
  const { stdout } = await runTestfleet([], {
    cwd,
    isBare: true,
    env: { NO_COLOR: '1', TERM: 'dumb' },
    prefix: ['python3', program, JSON.stringify(steps), process.execPath, mainFile, ...words],
  })
  const result = JSON.parse(stdout) as TerminalResult & { readonly problem?: string }
  if (result.problem !== undefined) throw new Error(`${result.problem} at the terminal, which shows\n${result.output}`)
  return result
}
