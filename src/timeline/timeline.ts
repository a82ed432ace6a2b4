import type { FleetEvent } from '../model/events.ts'
import type { Host } from '../model/host.ts'
import { VERSION } from '../version.ts'
import { Collector } from './collect.ts'
import { describeCall } from './describe-call.ts'
import { resolveTimeline, saveTimeline } from './files.ts'
import { maskTimeline } from './mask-timeline.ts'
import { formatPage } from './page.ts'
import type { CallTimeline, Outcome } from './timeline-model.ts'
import { formatTrace } from './trace.ts'

/** Notes what a call does, and writes it when the call has ended. */
export interface Timeline {
  note(event: FleetEvent): void
  /** Returns a sentence for each file that could not be written. `mask` removes secrets. */
  write(ended: EndedCall, mask: (text: string) => string): Promise<readonly string[]>
}

export interface EndedCall {
  readonly outcome: Outcome
  /** Why it did not succeed. */
  readonly message: string | undefined
}

/**
 * Opens a timeline of a call that begins now. A file whose name ends with `.json` gets a trace, any other one a page.
 * Fails with USAGE when a file cannot be created.
 */
export async function openTimeline(
  call: string,
  files: readonly string[],
  host: Pick<Host, 'workingFolder'>,
): Promise<Timeline> {
  const [startedAt, beganAtMs] = [new Date(), performance.now()]
  const paths = new Set(await Promise.all(files.map((file) => resolveTimeline(file, host))))
  const collector = new Collector()
  return {
    note: (event) => collector.note(event, performance.now() - beganAtMs),
    async write(ended, mask) {
      const totalMs = performance.now() - beganAtMs
      const described = describeCall(collector.read(), { ...ended, call, version: VERSION, startedAt, totalMs })
      const timeline = maskTimeline(described, mask)
      const problems = await Promise.all(
        [...paths].map(async (path) => {
          const problem = await saveTimeline(path, format(path, timeline))
          return problem === undefined ? [] : [`the timeline could not be written to ${path}: ${problem}`]
        }),
      )
      return problems.flat()
    },
  }
}

function format(path: string, timeline: CallTimeline): string {
  return path.toLowerCase().endsWith('.json') ? formatTrace(timeline) : formatPage(timeline)
}
