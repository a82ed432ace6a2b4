import { currentHost } from '../current-host.ts'
import { isFailure } from '../model/failures.ts'
import type { Call } from './call.ts'
import { commands } from './commands.ts'
import { formatFailure, toJsonFailure } from './format-failure.ts'
import { openOutput } from './output.ts'
import { parseCall } from './parse-call.ts'
import { watchSignals } from './signals.ts'

/** One call from its words to its exit code. */
export async function runCall(name: string, words: readonly string[]): Promise<number> {
  // What stands behind `--` is said to another program.
  const isJson = words.slice(0, words.indexOf('--') >>> 0).includes('--json')
  const signals = watchSignals()
  let output = openOutput({ json: isJson, quiet: false, verbose: false, color: undefined })
  try {
    const parsed = parseCall(name, words)
    if (parsed.help) {
      const { formatHelp } = await import('./help.ts')
      output.write(formatHelp(parsed.name))
      return 0
    }
    output = openOutput(parsed)
    const call: Call = { ...parsed, host: currentHost(), output, signal: signals.signal }
    const { run } = await commands[parsed.name].load()
    return await run(call)
  } catch (error) {
    output.endProgress()
    // What an ended call stumbles over is of no interest; what it could not clean up is.
    const failure = isFailure(error) || signals.exitCode === undefined ? error : signals.signal.reason
    if (!isFailure(failure)) throw failure
    if (isJson) output.write(`${JSON.stringify(toJsonFailure(failure), null, 2)}\n`)
    if (!signals.isUnread || failure.leftovers !== undefined) output.tell(formatFailure(failure, output.palette))
    return signals.exitCode ?? failure.exitCode
  } finally {
    output.endProgress()
    signals.stop()
  }
}
