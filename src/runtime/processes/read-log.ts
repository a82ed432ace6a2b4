import { closeSync, openSync, readdirSync, readSync } from 'node:fs'
import { join } from 'node:path'
import type { LogRequest } from '../../engine/engine.ts'
import type { OutputChunk, OutputStream } from '../../model/container.ts'
import { LOG_FILE } from './log-writer.ts'

/** Lines that were read at the same time; the last one may not have ended. */
interface Entry {
  readonly atMs: number
  readonly stream: OutputStream
  readonly bytes: Buffer
}

/**
 * Reads the log of a server. With `follow`, it goes on each time that `changes` yields, and ends with it.
 */
export async function* readLog(
  folder: string,
  { follow, tail, sinceMs, timestamps = false }: LogRequest,
  changes: () => AsyncIterable<unknown>,
): AsyncGenerator<OutputChunk, void, void> {
  const log = new LogFiles(folder)
  const stamp = timestamps ? openStamps() : ({ stream, bytes }: Entry) => ({ stream, bytes })
  const read = function* (): Generator<Entry> {
    for (const entry of log.read()) if (sinceMs === undefined || entry.atMs >= sinceMs) yield entry
  }
  try {
    for (const entry of tail === undefined ? read() : lastLines(read(), tail)) yield stamp(entry)
    if (!follow) return
    for await (const _ of changes()) for (const entry of read()) yield stamp(entry)
    for (const entry of read()) yield stamp(entry)
  } finally {
    log.close()
  }
}

/** Keeps little more in memory than it returns. A last line without an end counts, too. */
function lastLines(entries: Iterable<Entry>, count: number): Entry[] {
  let kept: Entry[] = []
  let lines = 0
  for (const entry of entries) {
    const before = kept.at(-1)
    kept.push(entry)
    lines += countLines(entry.bytes) - (before !== undefined && !endsLine(before) ? 1 : 0)
    while (lines - countLines(kept[0]?.bytes ?? entry.bytes) >= count && kept.length > 1) {
      const [first, ...rest] = kept
      if (first === undefined || !endsLine(first)) break
      lines -= countLines(first.bytes)
      kept = rest
    }
  }
  const [first, ...rest] = kept
  return first === undefined || count === 0 ? [] : [{ ...first, bytes: dropLines(first.bytes, lines - count) }, ...rest]
}

function countLines(bytes: Buffer): number {
  let lines = bytes.at(-1) === 10 ? 0 : 1
  for (let end = bytes.indexOf(10); end !== -1; end = bytes.indexOf(10, end + 1)) lines += 1
  return lines
}

function dropLines(bytes: Buffer, count: number): Buffer {
  let start = 0
  for (let line = 0; line < count; line += 1) start = bytes.indexOf(10, start) + 1
  return bytes.subarray(start)
}

function endsLine({ bytes }: Entry): boolean {
  return bytes.at(-1) === 10
}

/** Puts the time before each line, also before one that was written in parts. */
function openStamps(): (entry: Entry) => OutputChunk {
  const isWithin = { stdout: false, stderr: false }
  return (entry) => {
    const { stream, bytes, atMs } = entry
    const time = `${new Date(atMs).toISOString()} `
    // A pattern for the start of each line, in a text of single bytes.
    const text = bytes.toString('latin1').replaceAll(/(?<![^\n])(?=[\s\S])/g, time)
    const stamped = isWithin[stream] ? text.slice(time.length) : text
    isWithin[stream] = !endsLine(entry)
    return { stream, bytes: Buffer.from(stamped, 'latin1') }
  }
}

const CHUNK_BYTES = 64 * 1024

/** The files of a log, read from the oldest to the newest, each as far as it was written. */
class LogFiles {
  readonly #folder: string
  #number = 0
  #file: number | undefined
  #position = 0
  #unread: Buffer = Buffer.alloc(0)

  constructor(folder: string) {
    this.#folder = folder
  }

  *read(): Generator<Entry> {
    for (;;) {
      // A file that has a successor is complete, so the successor is looked for before the file is read.
      const next = this.#findNext()
      if (this.#file !== undefined) yield* this.#readFile()
      if (next === undefined) return
      this.close()
      this.#open(next)
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #findNext(): number | undefined {
    try {
      const numbers = readdirSync(this.#folder).map((name) => Number(LOG_FILE.exec(name)?.[1] ?? 0))
      return numbers.filter((number) => number > this.#number).sort((one, other) => one - other)[0]
    } catch {
      // The server has been removed.
      return undefined
    }
  }

  #open(number: number): void {
    this.#number = number
    this.#position = 0
    this.#unread = Buffer.alloc(0)
    try {
      this.#file = openSync(join(this.#folder, `log.${number}`), 'r')
    } catch {
      // It was too old, and has just been removed.
    }
  }

  *#readFile(): Generator<Entry> {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES)
    for (;;) {
      const length = this.#file === undefined ? 0 : readSync(this.#file, chunk, 0, CHUNK_BYTES, this.#position)
      if (length === 0) return
      this.#position += length
      this.#unread = Buffer.concat([this.#unread, chunk.subarray(0, length)])
      yield* this.#takeEntries()
    }
  }

  *#takeEntries(): Generator<Entry> {
    for (;;) {
      const end = this.#unread.indexOf(10)
      if (end === -1) return
      const [atMs, letter, length] = this.#unread.toString('latin1', 0, end).split(' ')
      const size = Number(length)
      // A file that was cut off by a full disk.
      if (!(size >= 0)) return
      const bytes = this.#unread.subarray(end + 1, end + 1 + size)
      if (bytes.length < size) return
      this.#unread = this.#unread.subarray(end + 1 + size)
      yield { atMs: Number(atMs), stream: letter === 'e' ? 'stderr' : 'stdout', bytes }
    }
  }
}
