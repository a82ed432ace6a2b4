import { closeSync, openSync, readdirSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { OutputStream } from '../../model/container.ts'

/** A log is a few files, of which the oldest is removed when the newest is full. */
export const LOG_FILE = /^log\.(\d+)$/
const MAX_FILE_BYTES = 8 * 1024 * 1024
const MOST_FILES = 2
/** The end of a longer line is not waited for, so that it needs little memory. */
const MAX_LINE_BYTES = 16 * 1024

const letters = { stdout: 'o', stderr: 'e' } as const

/**
 * Writes what a program prints to files, in whole lines, with the time at which they were read: a header such as
 * `1764520000000 o 12`, then that many bytes. A full disk loses lines and ends nothing.
 */
export class LogWriter {
  readonly #folder: string
  readonly #maxFileBytes: number
  readonly #unfinished: Record<OutputStream, Buffer> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }
  #file: number | undefined
  #number = 0
  #bytes = 0

  constructor(folder: string, maxFileBytes = MAX_FILE_BYTES) {
    this.#folder = folder
    this.#maxFileBytes = maxFileBytes
  }

  write(stream: OutputStream, chunk: Buffer, atMs = Date.now()): void {
    const text = Buffer.concat([this.#unfinished[stream], chunk])
    const isLong = text.length - (text.lastIndexOf(10) + 1) >= MAX_LINE_BYTES
    const end = isLong ? text.length : text.lastIndexOf(10) + 1
    this.#unfinished[stream] = Buffer.from(text.subarray(end))
    if (end > 0) this.#append(format(stream, text.subarray(0, end), atMs))
  }

  /** Writes a last line that has no end. */
  flush(atMs = Date.now()): void {
    for (const stream of ['stdout', 'stderr'] as const) {
      const text = this.#unfinished[stream]
      this.#unfinished[stream] = Buffer.alloc(0)
      if (text.length > 0) this.#append(format(stream, text, atMs))
    }
  }

  #append(bytes: Buffer): void {
    try {
      if (this.#file === undefined || (this.#bytes > 0 && this.#bytes + bytes.length > this.#maxFileBytes))
        this.#rotate()
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file ?? -1, bytes, done)
      this.#bytes += bytes.length
    } catch {
      // The disk is full, or the folder is being removed. A new file begins with a whole line.
      this.#bytes = this.#maxFileBytes
    }
  }

  #rotate(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
    this.#number += 1
    this.#bytes = 0
    for (const name of readdirSync(this.#folder)) {
      const number = Number(LOG_FILE.exec(name)?.[1] ?? Number.POSITIVE_INFINITY)
      if (number <= this.#number - MOST_FILES) rmSync(join(this.#folder, name))
    }
    this.#file = openSync(join(this.#folder, `log.${this.#number}`), 'a', 0o600)
  }
}

function format(stream: OutputStream, bytes: Buffer, atMs: number): Buffer {
  return Buffer.concat([Buffer.from(`${atMs} ${letters[stream]} ${bytes.length}\n`), bytes])
}
