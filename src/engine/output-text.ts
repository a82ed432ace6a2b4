import { CUT } from '../formats/strip-controls.ts'
import type { OutputChunk } from '../model/container.ts'

/** A line without an end must not fill the memory. */
export interface LineLimit {
  /** In characters. */
  readonly length: number
  /** What is kept of a longer line: its start, its end, or all of it as several lines. */
  readonly keeps: 'start' | 'end' | 'all'
}

/** Turns chunks of bytes, cut anywhere, into lines. Its memory is bounded, and its time grows as the bytes do. */
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

  /** The line that has begun and not ended; empty between lines. */
  get rest(): string {
    const { length, keeps } = this.#limit
    return keeps === 'end' ? this.#rest.slice(-length) : this.#rest
  }

  /** Returns the lines that are split off because the unfinished one became too long. */
  #continue(text: string): string[] {
    const { length, keeps } = this.#limit
    if (keeps === 'start') this.#rest += text.slice(0, Math.max(0, length - this.#rest.length))
    else this.#rest += text
    // Not at every chunk, as cutting a text copies it.
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
