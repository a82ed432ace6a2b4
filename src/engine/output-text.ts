import { CUT } from '../formats/strip-controls.ts'
import type { OutputChunk } from '../model/container.ts'

/** Limit for lines, so that an endless line cannot fill the memory. */
export interface LineLimit {
  /** Maximum length in characters. */
  readonly length: number
  /** Kept part of a longer line: its start, its end, or all of it split into several lines. */
  readonly keeps: 'start' | 'end' | 'all'
}

/** Splits chunks of bytes into lines. Memory is bounded, and time is linear in the number of bytes. */
export class LineReader {
  readonly #decoder = new TextDecoder()
  readonly #limit: LineLimit
  #rest = ''

  constructor(limit: LineLimit) {
    this.#limit = limit
  }

  /** Returns the lines that these bytes complete. */
  read(bytes: Uint8Array): string[] {
    const [first = '', ...others] = this.#decoder.decode(bytes, { stream: true }).split('\n')
    const lines = this.#continue(first)
    for (const begun of others) {
      lines.push(this.rest)
      this.#rest = ''
      lines.push(...this.#continue(begun))
    }
    return lines
  }

  /** Returns the unfinished line; empty between lines. */
  get rest(): string {
    const { length, keeps } = this.#limit
    return keeps === 'end' ? this.#rest.slice(-length) : this.#rest
  }

  /** Returns the lines that are split off because the unfinished one became too long. */
  #continue(text: string): string[] {
    const { length, keeps } = this.#limit
    if (keeps === 'start') this.#rest += text.slice(0, Math.max(0, length - this.#rest.length))
    else this.#rest += text
    // Only now and then, because cutting a text copies it.
    if (keeps === 'end' && this.#rest.length > 2 * length) this.#rest = this.#rest.slice(-length)
    const lines: string[] = []
    if (keeps !== 'all' || this.#rest.length <= length) return lines
    let at = 0
    for (; this.#rest.length - at > length; at += length) lines.push(this.#rest.slice(at, at + length))
    this.#rest = this.#rest.slice(at)
    return lines
  }
}

/** Reads all output to its end, and returns the last `maxBytes` as one text, both streams as they arrived. */
export async function readEnd(chunks: AsyncIterable<OutputChunk>, maxBytes: number): Promise<string> {
  let kept: Uint8Array[] = []
  let size = 0
  let isCut = false
  for await (const { bytes } of chunks) {
    kept.push(bytes)
    size += bytes.length
    if (size <= 2 * maxBytes) continue
    const end = Buffer.concat(kept).subarray(-maxBytes)
    kept = [end]
    size = end.length
    isCut = true
  }
  const text = Buffer.concat(kept).subarray(-maxBytes).toString('utf8')
  return isCut || size > maxBytes ? `${CUT}${text}` : text
}
