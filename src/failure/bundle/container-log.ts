import type { CallOptions, Engine } from '../../engine/engine.ts'
import { LineReader, readEnd } from '../../engine/output-text.ts'
import type { OutputStream } from '../../model/container.ts'
import { isFailure } from '../../model/failures.ts'
import type { Mask } from '../mask.ts'
import type { BundledServer } from './scene.ts'

/** Of a longer log, the beginning is kept up to here, and the last lines. */
const MAX_LOG_LENGTH = 64 * 1024 * 1024
const LAST_LOG_LINES = 2000
/** A line without an end is cut here. */
const MAX_LINE_LENGTH = 1024 * 1024
/** Read and masked beyond that, and then left out: a secret that is cut in the middle is in this part. */
const CUT_MARGIN = 64 * 1024

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
    if (length > MAX_LOG_LENGTH) {
      yield `[the log is longer than ${MAX_LOG_LENGTH} characters; its last ${LAST_LOG_LINES} lines follow]`
      yield* readLastPart(readLines(containerId, LAST_LOG_LINES, engine, mask, options))
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
      yield `[these have more than ${MAX_LOG_LENGTH} characters, and the rest is left out]`
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
  const limit = { length: MAX_LINE_LENGTH + CUT_MARGIN, keeps: 'start' } as const
  const readers = { stdout: new LineReader(limit), stderr: new LineReader(limit) }
  const request = { follow: false, timestamps: true, ...(tail === undefined ? {} : { tail }) }
  for await (const { stream, bytes } of engine.readLogs(containerId, request, options)) {
    for (const line of readers[stream].read(bytes)) yield formatLine(line, stream, mask)
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const { rest } = readers[stream]
    if (rest !== '') yield formatLine(rest, stream, mask)
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

function maskLine(text: string, mask: Mask): string {
  if (text.length <= MAX_LINE_LENGTH) return mask.text(text)
  const masked = mask.text(text.slice(0, MAX_LINE_LENGTH + CUT_MARGIN))
  return `${masked.slice(0, Math.max(0, masked.length - CUT_MARGIN))} [cut: the line has more than ${MAX_LINE_LENGTH} characters]`
}

/** Of the server that failed. */
const LINES_OF_FAILED = 40
/** Of each, when it is not known which it was. */
const LINES_OF_EACH = 10
const MOST_SERVERS = 12
const MAX_SHOWN_LENGTH = 1000
const MAX_SHOWN_BYTES = 64 * 1024

/** The end of the logs that say why, masked: of the failed server, where its failure does not show it; else of all. */
export async function readLastLines(
  failure: unknown,
  servers: readonly BundledServer[],
  mask: Mask,
  engine: Engine,
  options: CallOptions,
): Promise<Map<string, readonly string[]>> {
  const isOfServer = isFailure(failure)
  if (isOfServer && (failure.server === undefined || failure.output.length > 0)) return new Map()
  const wanted = isOfServer ? servers.filter(({ name }) => name === failure.server) : servers.slice(0, MOST_SERVERS)
  const request = { follow: false, tail: isOfServer ? LINES_OF_FAILED : LINES_OF_EACH }
  const read = async ({ name, container }: BundledServer): Promise<[string, readonly string[]][]> => {
    if (container === undefined || container.state === 'created') return []
    try {
      const text = mask.text(await readEnd(engine.readLogs(container.id, request, options), MAX_SHOWN_BYTES))
      const lines = text.split('\n').filter((line) => line.trim() !== '')
      return [[name, lines.map(shorten)]]
    } catch {
      // Its log has a file of its own, which says why.
      return []
    }
  }
  return new Map((await Promise.all(wanted.map(read))).flat())
}

/** After it was masked, so that no part of a secret stays. */
function shorten(line: string): string {
  return line.length > MAX_SHOWN_LENGTH ? `${line.slice(0, MAX_SHOWN_LENGTH)}…` : line
}
