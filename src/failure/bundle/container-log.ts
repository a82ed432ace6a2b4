import type { CallOptions, Engine } from '../../engine/engine.ts'
import { LineReader } from '../../engine/output-text.ts'
import type { OutputStream } from '../../model/container.ts'
import type { Mask } from '../mask.ts'

/** Of a longer log, the beginning is kept up to here, and the last lines. */
const MAX_LENGTH = 64 * 1024 * 1024
const LAST_LINES = 2000
/** A line without an end is cut here. */
const MAX_LINE_LENGTH = 1024 * 1024

/** What a container has logged, line by line, with time and stream, masked. */
export async function* readContainerLog(
  containerId: string,
  engine: Engine,
  mask: Mask,
  options: CallOptions,
): AsyncGenerator<string> {
  let length = 0
  for await (const line of readLines(containerId, undefined, engine, mask, options)) {
    length += line.length
    if (length > MAX_LENGTH) {
      yield `[the log is longer than ${MAX_LENGTH} characters; its last ${LAST_LINES} lines follow]`
      yield* readLines(containerId, LAST_LINES, engine, mask, options)
      return
    }
    yield line
  }
}

async function* readLines(
  containerId: string,
  tail: number | undefined,
  engine: Engine,
  mask: Mask,
  options: CallOptions,
): AsyncGenerator<string> {
  const streams = { stdout: openStream('stdout', mask), stderr: openStream('stderr', mask) }
  const request = { follow: false, timestamps: true, ...(tail === undefined ? {} : { tail }) }
  for await (const { stream, bytes } of engine.readLogs(containerId, request, options)) {
    yield* streams[stream].read(bytes)
  }
  yield* streams.stdout.finish()
  yield* streams.stderr.finish()
}

function openStream(stream: OutputStream, mask: Mask): { read(bytes: Uint8Array): string[]; finish(): string[] } {
  const reader = new LineReader()
  const format = (line: string): string => formatLine(line, stream, mask)
  return {
    read(bytes) {
      const lines = reader.read(bytes).map(format)
      // Only so much is looked at below, and the memory of one line has an end.
      reader.cut(2 * MAX_LINE_LENGTH)
      return lines
    },
    finish: () => (reader.rest === '' ? [] : [format(reader.rest)]),
  }
}

/** The engine's time, nine digits of seconds (RFC 3339). */
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d) /

function formatLine(line: string, stream: OutputStream, mask: Mask): string {
  const time = TIME.exec(line)?.[0] ?? ''
  // The engine cuts a long line at 16 KB and puts the same time in front of each part (20.10): a secret may be cut too.
  const text = time === '' ? line : line.slice(time.length).replaceAll(time, '')
  return `${time}${stream} ${maskLine(text.replace(/\r$/, ''), mask)}`
}

/** Of a line that is cut, what may be the beginning of a secret goes too. */
function maskLine(text: string, mask: Mask): string {
  const masked = mask.text(text.slice(0, MAX_LINE_LENGTH + mask.longestLength))
  if (text.length <= MAX_LINE_LENGTH) return masked
  return `${masked.slice(0, Math.max(0, masked.length - mask.longestLength))} [cut: the line has more than ${MAX_LINE_LENGTH} characters]`
}
