import { setTimeout as sleep } from 'node:timers/promises'
import { LineReader } from '../engine/output-text.ts'
import { stripControls } from '../formats/strip-controls.ts'
import { isFailure } from '../model/failures.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** For a line without an end, only the last part is searched. */
const MAX_LINE_LENGTH = 64 * 1024

/** How many times in a row a log may be cut off before its first byte. */
const MOST_CUTS = 3

/** Pause before a log that ended is read again: short at first, as the missing lines are on their way. */
const FIRST_PAUSE_MS = 20
const LONGEST_PAUSE_MS = 1000

/** The text to find in a log, and how many lines must match. */
export interface LogSearch {
  /** Returns how many of these lines match, up to `most`. */
  countIn(lines: readonly string[], most: number): number | Promise<number>
  readonly times: number
}

/**
 * Resolves once enough lines of the log match, as people see them: without control sequences, and with text after a
 * carriage return as a separate line. Reads the log from its first line, so that none is missed, and reads it again when
 * it ends: an engine may end a followed log before the container's last output (20.10), and a connection may be cut.
 */
export async function waitForLog(
  containerId: string,
  search: LogSearch,
  runtime: Runtime,
  signal: AbortSignal,
  onAnswer: (answer: string) => void,
): Promise<void> {
  onAnswer('nothing is logged yet')
  let cuts = 0
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)) {
    const heard = { isSomething: false }
    try {
      if (await followLog(containerId, search, runtime, signal, onAnswer, heard)) return
      cuts = 0
    } catch (error) {
      if (!isFailure(error, 'ENGINE_LOST')) throw error
      cuts = heard.isSomething ? 0 : cuts + 1
      if (cuts >= MOST_CUTS) throw error
      onAnswer('the log was cut off, and is read again')
    }
    await sleep(pauseMs, undefined, { signal })
  }
}

/** Whether the text was found before the log's end. */
async function followLog(
  containerId: string,
  search: LogSearch,
  runtime: Runtime,
  signal: AbortSignal,
  onAnswer: (answer: string) => void,
  heard: { isSomething: boolean },
): Promise<boolean> {
  const stop = new AbortController()
  const limit = { length: MAX_LINE_LENGTH, keeps: 'end' } as const
  const streams = { stdout: new LineReader(limit), stderr: new LineReader(limit) }
  let count = 0
  let found = 0
  const describe = (): string =>
    `${found === 0 ? 'not' : `${found} of ${search.times} times`} in the ${count} ${count === 1 ? 'line' : 'lines'}`
  try {
    const both = AbortSignal.any([signal, stop.signal])
    const sinceMs = await findLastStart(containerId, runtime, signal)
    for await (const chunk of runtime.readLogs(containerId, { follow: true, sinceMs }, { signal: both })) {
      heard.isSomething = true
      const reader = streams[chunk.stream]
      const lines = reader.read(chunk.bytes)
      found += await search.countIn(lines.flatMap(asRead), search.times - found)
      if (found >= search.times) return true
      // The last line may never end; Docker sends it once it is 16 KB long, or the log has ended (20.10).
      if (found + (await search.countIn(asRead(reader.rest), search.times - found)) >= search.times) return true
      count += lines.length
      onAnswer(`${describe()} so far`)
    }
    onAnswer(`${describe()} of its log, which has ended`)
    return false
  } finally {
    stop.abort()
  }
}

/** Returns the visible part of a line. A progress bar overwrites its line with a carriage return. */
function asRead(line: string): string[] {
  return line.split('\r').map(stripControls)
}

/**
 * Returns the end of the run before this one, as what the server wrote before says nothing about now. Undefined for a
 * first run, whose first lines may be dated before the engine's time of the start, and for a server that has ended: the
 * engine then reports the end of this run.
 */
async function findLastStart(containerId: string, runtime: Runtime, signal: AbortSignal): Promise<number | undefined> {
  const { state, restarts, startedAtMs, endedAtMs } = await runtime.inspectServer(containerId, { signal })
  if (endedAtMs > 0 && state !== 'exited') return endedAtMs + 1
  return restarts > 0 ? startedAtMs : undefined
}
