import { readEnd } from '../engine/output-text.ts'
import { CUT } from '../formats/strip-controls.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** Lines read from the end of a log. They leave room for others when lines repeat. */
const LINES_READ = 400
const LINES_SHOWN = 20
const MAX_LOG_BYTES = 256 * 1024
/** Room for the log in a message. The failure bundle has the rest. */
const MAX_LINE_LENGTH = 500

/** Returns the end of a server's log for people. Empty when it cannot be read, as with the logging driver `none`. */
export async function readLogEnd(
  { runtime, containerId }: { readonly runtime: Runtime; readonly containerId: string },
  signal: AbortSignal,
): Promise<string[]> {
  const chunks = runtime.readLogs(containerId, { follow: false, tail: LINES_READ }, { signal })
  const text = await readEnd(chunks, MAX_LOG_BYTES).catch(() => '')
  signal.throwIfAborted()
  return collapseRepeats(text.split('\n').filter((line) => line.trim() !== '')).slice(-LINES_SHOWN)
}

/** Number of different lines that may alternate and still count as a repeat: one probe may log several. */
const MOST_IN_TURN = 4
/** Fewer similar lines are shown unchanged. */
const FEWEST_ALIKE = 4
/** Lines that consist almost only of numbers repeat only if they are equal. */
const FEWEST_LETTERS = 6

/** Shows lines that differ only in numbers once, with their count: a ready check can fill a log. */
export function collapseRepeats(lines: readonly string[]): string[] {
  const groups: { readonly key: string; readonly first: number; count: number }[] = []
  const groupOf = lines.map((line, first) => {
    const withoutNumbers = line.replaceAll(/[\da-f]*\d[\da-f]*/gi, '0')
    const key = withoutNumbers.replaceAll(/[^a-z]/gi, '').length < FEWEST_LETTERS ? line : withoutNumbers
    const known = groups.slice(-MOST_IN_TURN).find((one) => one.key === key)
    const group = known ?? { key, first, count: 0 }
    if (known === undefined) groups.push(group)
    group.count += 1
    return group
  })
  return lines.flatMap((line, index) => {
    const { first, count } = groupOf[index] ?? { first: index, count: 1 }
    if (count < FEWEST_ALIKE) return [cut(line)]
    return index === first ? [cut(line), `… ${count - 1} more like it`] : []
  })
}

function cut(line: string): string {
  return line.length > MAX_LINE_LENGTH ? `${line.slice(0, MAX_LINE_LENGTH)}${CUT}` : line
}
