import type { OutputChunk } from '../model/container.ts'

/** Turns chunks of bytes, cut anywhere, into lines. */
export class LineReader {
  readonly #decoder = new TextDecoder()
  #rest = ''

  /** Returns the lines that these bytes complete. */
  read(bytes: Uint8Array): string[] {
    const lines = this.#decoder.decode(bytes, { stream: true }).split('\n')
    lines[0] = this.#rest + lines[0]
    this.#rest = lines.pop() ?? ''
    return lines
  }

  /** The line that has begun and not ended; empty between lines. */
  get rest(): string {
    return this.#rest
  }

  /** Keeps only the first `length` characters of the unfinished line. */
  cut(length: number): void {
    this.#rest = this.#rest.slice(0, length)
  }

  /** Keeps only the last `length` characters of the unfinished line. */
  shorten(length: number): void {
    this.#rest = this.#rest.slice(-length)
  }
}

/** Returns all output as one text, both streams in the order in which they arrived. */
export async function readText(chunks: AsyncIterable<OutputChunk>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const { bytes } of chunks) text += decoder.decode(bytes, { stream: true })
  return text
}
