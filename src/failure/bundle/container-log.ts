import type { CallOptions, LogRequest } from '../../engine/engine.ts'
import { LineReader, readEnd } from '../../engine/output-text.ts'
import type { OutputStream } from '../../model/container.ts'
import { isFailure } from '../../model/failures.ts'
import type { Runtime } from '../../runtime/runtime.ts'
import type { Mask } from '../mask.ts'
import type { BundledServer } from './context.ts'

/** Longer logs are cut to this length of their beginning, and their last lines. */
const MAX_LOG_LENGTH = 64 * 1024 * 1024
const LAST_LOG_LINES = 2000
/** Longer lines are cut. */
const MAX_LINE_LENGTH = 1024 * 1024
/** Additional characters that are read and masked but not written, so that a secret at the cut is recognized. */
const CUT_MARGIN = 64 * 1024

type LogSource = Pick<Runtime, 'readLogs'>

/** Reads the masked log of a container, line by line, with time and stream. */
export async function* readContainerLog(
  containerId: string,
  runtime: LogSource,
  mask: Mask,
  options: CallOptions,
): AsyncGenerator<string> {
  let length = 0
  for await (const line of readLines(containerId, {}, runtime, mask, options)) {
    length += line.length
    if (length > MAX_LOG_LENGTH) {
      yield `[the log is longer than ${MAX_LOG_LENGTH} characters; its last ${LAST_LOG_LINES} lines follow]`
      yield* readLastPart(readLines(containerId, { tail: LAST_LOG_LINES }, runtime, mask, options))
      return
    }
    yield line
  }
}

async function* readLastPart(lines: AsyncIterable<string>): AsyncGenerator<string> {
  let length = 0
  for await (const line of lines) {
    length += line.length
    if (length > MAX_LOG_LENGTH) {
      yield `[these lines have more than ${MAX_LOG_LENGTH} characters; the rest is left out]`
      return
    }
    yield line
  }
}

/** Reads the masked lines of a part of a log. */
export async function* readLines(
  containerId: string,
  part: Pick<LogRequest, 'tail' | 'sinceMs'>,
  runtime: LogSource,
  mask: Mask,
  options: CallOptions,
): AsyncGenerator<string> {
  const limit = { length: MAX_LINE_LENGTH + CUT_MARGIN, keeps: 'start' } as const
  const readers = { stdout: new LineReader(limit), stderr: new LineReader(limit) }
  const request = { follow: false, timestamps: true, ...part }
  for await (const { stream, bytes } of runtime.readLogs(containerId, request, options)) {
    for (const line of readers[stream].read(bytes)) yield formatLine(line, stream, mask)
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const { rest } = readers[stream]
    if (rest !== '') yield formatLine(rest, stream, mask)
  }
}

/** The engine's timestamp, with nanoseconds (RFC 3339). */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) /

function formatLine(line: string, stream: OutputStream, mask: Mask): string {
  const time = TIME.exec(line)?.[0] ?? ''
  // The engine splits a long line at 16 KB and repeats the timestamp before each part (20.10), which may split a
  // secret.
  const text = time === '' ? line : line.slice(time.length).replaceAll(time, '')
  return `${time}${stream} ${maskLine(text.replace(/\r$/, ''), mask)}`
}

function maskLine(text: string, mask: Mask): string {
  if (text.length <= MAX_LINE_LENGTH) return mask.text(text)
  const masked = mask.text(text.slice(0, MAX_LINE_LENGTH + CUT_MARGIN))
  return `${masked.slice(0, Math.max(0, masked.length - CUT_MARGIN))} [cut: the line has more than ${MAX_LINE_LENGTH} characters]`
}

/** Lines shown of the failed server. */
const LINES_OF_FAILED = 40
/** Lines shown of each server, when it is not known which one failed. */
const LINES_OF_EACH = 10
const MOST_SERVERS = 12
const MAX_SHOWN_LENGTH = 1000
const MAX_SHOWN_BYTES = 64 * 1024

/** Returns the masked last log lines of the failed server, unless its error shows them already; else of all servers. */
export async function readLastLines(
  failure: unknown,
  servers: readonly BundledServer[],
  mask: Mask,
  runtime: LogSource,
  options: CallOptions,
): Promise<Map<string, readonly string[]>> {
  const isOfServer = isFailure(failure)
  if (isOfServer && (failure.server === undefined || failure.output.length > 0)) return new Map()
  const wanted = isOfServer ? servers.filter(({ name }) => name === failure.server) : servers.slice(0, MOST_SERVERS)
  const request = { follow: false, tail: isOfServer ? LINES_OF_FAILED : LINES_OF_EACH }
  const read = async ({ name, container }: BundledServer): Promise<[string, readonly string[]][]> => {
    if (container === undefined || container.state === 'created') return []
    try {
      const text = mask.text(await readEnd(runtime.readLogs(container.id, request, options), MAX_SHOWN_BYTES))
      const lines = text.split('\n').filter((line) => line.trim() !== '')
      return [[name, lines.map(shorten)]]
    } catch {
      // The error that explains this is in the server's own log file of the bundle.
      return []
    }
  }
  return new Map((await Promise.all(wanted.map(read))).flat())
}

/** Called after masking, so that no part of a secret remains. */
function shorten(line: string): string {
  return line.length > MAX_SHOWN_LENGTH ? `${line.slice(0, MAX_SHOWN_LENGTH)}…` : line
}
