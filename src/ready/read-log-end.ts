import { readEnd } from '../engine/output-text.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** A log is read back this far, so that lines which repeat leave room for others. */
const LINES_READ = 400
const LINES_SHOWN = 20
const MAX_LOG_BYTES = 256 * 1024
/** A message has room for this much of the log; the failure bundle has the rest. */
const MAX_LINE_LENGTH = 800

/** The end of a server's log, to be shown to a person. Empty when it cannot be read, as with the logging driver `none`. */
export async function readLogEnd(
  { runtime, containerId }: { readonly runtime: Runtime; readonly containerId: string },
  signal: AbortSignal,
): Promise<string[]> {
  const chunks = runtime.readLogs(containerId, { follow: false, tail: LINES_READ }, { signal })
  const text = await readEnd(chunks, MAX_LOG_BYTES).catch(() => '')
  signal.throwIfAborted()
  return collapseRepeats(text.split('\n').filter((line) => line.trim() !== '')).slice(-LINES_SHOWN)
}

/** How many different lines may take turns and still count as a repeat: a log may have several for one probe. */
const MOST_IN_TURN = 4

/** Shows lines that differ in numbers alone once, with how often they came: a ready check can fill a log. */
export function collapseRepeats(lines: readonly string[]): string[] {
  const kept: { readonly line: string; readonly key: string; more: number }[] = []
  for (const line of lines) {
    const key = line.replaceAll(/[\da-f]*\d[\da-f]*/gi, '0')
    const same = kept.slice(-MOST_IN_TURN).find((one) => one.key === key)
    if (same === undefined) kept.push({ line: cut(line), key, more: 0 })
    else same.more += 1
  }
  return kept.flatMap(({ line, more }) => (more === 0 ? [line] : [line, `… ${more} more like it`]))
}

function cut(line: string): string {
  return line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}…` : line
}
