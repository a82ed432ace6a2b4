import type { Engine } from '../engine/engine.ts'
import { LineReader } from '../engine/output-text.ts'

/** A line without an end is looked at in its last part alone. */
const MAX_LINE_LENGTH = 64 * 1024

/** Resolves once a line of the log has the text; the log is read from its first line on, so that none is missed. */
export async function waitForLog(
  containerId: string,
  matches: (line: string) => boolean,
  engine: Engine,
  signal: AbortSignal,
  onAnswer: (answer: string) => void,
): Promise<void> {
  const stop = new AbortController()
  const streams = { stdout: new LineReader(), stderr: new LineReader() }
  let count = 0
  onAnswer('nothing is logged yet')
  try {
    const both = AbortSignal.any([signal, stop.signal])
    for await (const chunk of engine.readLogs(containerId, { follow: true }, { signal: both })) {
      const reader = streams[chunk.stream]
      const lines = reader.read(chunk.bytes)
      // The line under way may never get its end; Docker tells of one that is 16 KB long, or the last (20.10).
      if (lines.some(matches) || matches(reader.rest)) return
      reader.shorten(MAX_LINE_LENGTH)
      count += lines.length
      onAnswer(`not in the ${count} lines so far`)
    }
    onAnswer(`not in the ${count} lines of its log, which has ended`)
    await aborted(signal)
  } finally {
    stop.abort()
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
}
