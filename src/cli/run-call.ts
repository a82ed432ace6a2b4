import { currentHost } from '../current-host.ts'
import { isFailure, type TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'
import { commands } from './commands.ts'
import { foldSummary } from './fold-summary.ts'
import { formatFailure, toJsonFailure } from './format-failure.ts'
import { type Output, openOutput } from './output.ts'
import { parseCall } from './parse-call.ts'
import { watchSignals } from './signals.ts'

/** One call from its words to its exit code. */
export async function runCall(name: string, words: readonly string[]): Promise<number> {
  // What stands behind `--` is said to another program.
  const isJson = words.slice(0, words.indexOf('--') >>> 0).includes('--json')
  const signals = watchSignals()
  let isQuiet = false
  let output = openOutput({ json: isJson, quiet: false, verbose: false, color: undefined })
  try {
    const parsed = parseCall(name, words)
    if (parsed.help) {
      const { formatHelp } = await import('./help.ts')
      output.write(formatHelp(parsed.name))
      return 0
    }
    output = openOutput(parsed)
    isQuiet = parsed.quiet
    const call: Call = { ...parsed, host: currentHost(), output, signal: signals.signal }
    const { run } = await commands[parsed.name].load()
    return await run(call)
  } catch (error) {
    output.endProgress()
    // What an ended call stumbles over is of no interest; what it could not clean up is.
    const failure = isFailure(error) || signals.exitCode === undefined ? error : signals.signal.reason
    if (!isFailure(failure)) throw failure
    tellFailure(failure, output, { isJson, isQuiet, isUnread: signals.isUnread })
    return signals.exitCode ?? failure.exitCode
  } finally {
    output.endProgress()
    signals.stop()
  }
}

interface Manner {
  readonly isJson: boolean
  readonly isQuiet: boolean
  readonly isUnread: boolean
}

function tellFailure(failure: TestfleetError, output: Output, { isJson, isQuiet, isUnread }: Manner): void {
  if (isJson) output.write(`${JSON.stringify(toJsonFailure(failure), null, 2)}\n`)
  // Nobody reads it, but what a person must remove is said all the same.
  if (isUnread && failure.leftovers === undefined) return
  output.tell(formatFailure(failure, output.palette))
  if (failure.summary !== undefined && !isQuiet) output.tell(foldSummary(failure.summary, process.env) ?? '')
}
