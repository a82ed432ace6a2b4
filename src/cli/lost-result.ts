import { getSystemErrorMessage } from 'node:util'
import { callOptions } from './commands/options.ts'
import { splitCall } from './parse-options.ts'

const isDone = 'The work is done; only its report is missing.'

/** What a successful call has changed, although its result is lost. Other commands change nothing. */
const outcomes: Readonly<Record<string, string>> = {
  up: 'The session is up. Run `testfleet endpoints` to print its addresses, or `testfleet down` to remove it.',
  ...Object.fromEntries(
    ['init', 'build', 'save', 'load', 'down', 'rm', 'rmi', 'prune', 'pin', 'join', 'release'].map((name) => [
      name,
      isDone,
    ]),
  ),
}

/** Reports that the result of a call could not be written, and what became of its work. Returns the exit code. */
export function tellLostResult(error: NodeJS.ErrnoException, words: readonly string[], exitCode: number): number {
  const { command } = splitCall(words, callOptions)
  const reason = error.errno === undefined ? error.message : getSystemErrorMessage(error.errno)
  const outcome = exitCode === 0 ? outcomes[command ?? ''] : undefined
  process.stderr.write(
    `error: cannot write the result: ${reason}\n${outcome === undefined ? '' : `hint: ${outcome}\n`}`,
  )
  return exitCode === 0 ? 1 : exitCode
}
