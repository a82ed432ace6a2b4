import type { OutputStream } from '../../../model/container.ts'

/** One line of the monitor's file: a line of output, or a part of one. */
export interface LogRecord {
  /** When it was written, as the file has it: `2026-03-01T10:00:00.123456789+00:00`. */
  readonly time: string
  readonly stream: OutputStream
  /** Whether the line of output goes on in the next record of its stream. */
  readonly isPart: boolean
  /** Without a line feed. */
  readonly bytes: Buffer
}

const SPACE = 0x20
const PART = 0x50

/**
 * Reads a line such as `2026-03-01T10:00:00.123456789+00:00 stdout F hello`, without its line feed. The program's bytes are
 * kept as they are. Undefined for what the monitor has not written, such as zeros after a power failure.
 */
export function readRecord(line: Buffer): LogRecord | undefined {
  const first = line.indexOf(SPACE)
  const second = line.indexOf(SPACE, first + 1)
  const third = line.indexOf(SPACE, second + 1)
  if (first === -1 || second === -1 || third !== second + 2) return undefined
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  const time = line.toString('latin1', 0, first)
  return { time, stream, isPart: line[second + 1] === PART, bytes: line.subarray(third + 1) }
}

/** Time of a record, in milliseconds since 1970; NaN when it is none. */
export function timeOf({ time }: LogRecord): number {
  return Date.parse(time)
}

/** The time as Docker writes it: in UTC, with all nine digits of the fraction. */
export function formatTime(record: LogRecord): string {
  const digits = /\.(\d{1,9})/.exec(record.time)?.[1] ?? ''
  const ms = timeOf(record)
  if (Number.isNaN(ms)) return record.time
  return `${new Date(ms).toISOString().slice(0, 19)}.${digits.padEnd(9, '0')}Z`
}
