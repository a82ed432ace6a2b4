import type { StoredRecord } from '../sessions/record.ts'
import type { Tools } from '../tools.ts'
import type { Call } from './call.ts'
import { foldSummary } from './fold-summary.ts'
import { formatBundle } from './format-bundle.ts'

/** Keeps what the servers look like after a command that failed, while they are there. */
export async function captureFailedCommand(
  exitCode: number,
  session: StoredRecord,
  call: Call,
  tools: Tools,
): Promise<void> {
  // Whoever wants no word from us would not learn of a folder.
  if (call.quiet && tools.recorder.archive === undefined) return
  const { captureState } = await import('../failure/bundle/capture.ts')
  const what = `the command ended with exit code ${exitCode}`
  const bundle = await captureState(`${what}: ${call.command[0]}`, session, tools)
  if (call.quiet) return
  call.output.endProgress()
  call.output.tell(`${[what, ...formatBundle(bundle)].join('\n')}\n`)
  call.output.tell(foldSummary(bundle.summary, call.host.environment) ?? '')
}
