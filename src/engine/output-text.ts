import type { OutputChunk } from '../model/container.ts'

/** Bytes to lines, however the bytes are cut. */
export class LineReader {
  readonly #decoder = new TextDecoder()
  #rest = ''

  /** The lines that these bytes complete. */
  read(bytes: Uint8Array): string[] {
    const lines = (this.#rest + this.#decoder.decode(bytes, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    return lines
  }

  /** The line that is under way; empty between lines. */
  get rest(): string {
    return this.#rest
  }

  /** Forgets what of the line that is under way goes beyond so many characters. */
  cut(length: number): void {
    this.#rest = this.#rest.slice(0, length)
  }

  /** Forgets all but so many characters of the line that is under way. */
  shorten(length: number): void {
    this.#rest = this.#rest.slice(-length)
  }
}

/** All of it as one text, both streams as they came. */
export async function readText(chunks: AsyncIterable<OutputChunk>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const { bytes } of chunks) text += decoder.decode(bytes, { stream: true })
  return text
}
