import type { FileHandle } from 'node:fs/promises'
import { type LogRecord, readRecord } from './log-record.ts'

const CHUNK_BYTES = 256 << 10
const LINE_FEED = 0x0a

/** A longer line is none of the monitor's. */
const MOST_LINE_BYTES = 1 << 20

/** Reads the records of a log from a place on, as far as they are whole. */
export class LogReader {
  readonly #file: FileHandle
  /** Where the next record begins. */
  #at: number

  constructor(file: FileHandle, at: number) {
    this.#file = file
    this.#at = at
  }

  /** Returns the next records; none at the end, or when the last one is not whole. `end` limits what is read. */
  async read(end = Infinity): Promise<readonly LogRecord[]> {
    for (let length = Math.min(CHUNK_BYTES, end - this.#at); length > 0; length *= 2) {
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafe(length), 0, length, this.#at)
      const whole = buffer.subarray(0, bytesRead).lastIndexOf(LINE_FEED) + 1
      if (whole > 0) {
        this.#at += whole
        return recordsIn(buffer.subarray(0, whole))
      }
      if (bytesRead < length) return []
      if (length > MOST_LINE_BYTES) this.#at += bytesRead
    }
    return []
  }
}

/** Returns the records of whole lines. */
function recordsIn(bytes: Buffer): readonly LogRecord[] {
  const records: LogRecord[] = []
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(LINE_FEED, from)
    const record = readRecord(bytes.subarray(from, end === -1 ? bytes.length : end))
    if (record !== undefined) records.push(record)
    from = end === -1 ? bytes.length : end + 1
  }
  return records
}

/** How far before the wanted lines their beginnings are looked for: two streams can be mixed within a long line. */
const MOST_BEFORE_BYTES = 4 << 20

/**
 * Returns the records of the last lines of output before `end`, by reading backwards: a log may be much longer than what is
 * wanted of it. A line that has no end yet counts.
 */
export async function readLast(file: FileHandle, end: number, count: number): Promise<readonly LogRecord[]> {
  const chooser = new Chooser(count)
  let rest = Buffer.alloc(0)
  let before = 0
  for (let at = end; at > 0 && !chooser.isComplete && before < MOST_BEFORE_BYTES; ) {
    const length = Math.min(CHUNK_BYTES, at)
    at -= length
    const { buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, at)
    const bytes = Buffer.concat([buffer, rest])
    // The first line may have begun before.
    const from = at === 0 ? 0 : bytes.indexOf(LINE_FEED) + 1
    rest = Buffer.from(bytes.subarray(0, from))
    if (rest.length > MOST_LINE_BYTES) rest = Buffer.alloc(0)
    if (chooser.isFull) before += length
    for (const record of recordsIn(bytes.subarray(from, wholeIn(bytes, at + bytes.length, end))).toReversed()) {
      chooser.add(record)
    }
  }
  return chooser.records.toReversed()
}

/** The end of the file may be in the middle of a line that is being written. */
function wholeIn(bytes: Buffer, position: number, end: number): number {
  return position === end ? bytes.lastIndexOf(LINE_FEED) + 1 : bytes.length
}

/** Chooses the records of the last lines. They come in the opposite order. */
class Chooser {
  readonly records: LogRecord[] = []
  readonly #count: number
  /** What the records of each stream belong to that come next. */
  readonly #streams = { stdout: 'nothing', stderr: 'nothing' } as Record<
    LogRecord['stream'],
    'nothing' | 'chosen' | 'older'
  >
  #chosen = 0

  constructor(count: number) {
    this.#count = count
  }

  get isFull(): boolean {
    return this.#chosen >= this.#count
  }

  /** Whether also the beginning of each chosen line is there. */
  get isComplete(): boolean {
    return this.isFull && !Object.values(this.#streams).includes('chosen')
  }

  add(record: LogRecord): void {
    const state = this.#streams[record.stream]
    if (!record.isPart || state === 'nothing') this.#streams[record.stream] = this.#take()
    if (this.#streams[record.stream] === 'chosen') this.records.push(record)
  }

  #take(): 'chosen' | 'older' {
    if (this.isFull) return 'older'
    this.#chosen += 1
    return 'chosen'
  }
}
