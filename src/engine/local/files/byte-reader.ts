import { unsound } from './tar-header.ts'

/** Reads from chunks as many bytes as are asked for. Errors of the source are kept apart from ours. */
export class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>
  #held: Buffer = Buffer.alloc(0)
  #isAtEnd = false
  /** The error that ended the source. */
  failure: { readonly error: unknown } | undefined

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#chunks = source[Symbol.asyncIterator]()
  }

  /** Returns exactly this number of bytes; undefined when the source has ended before the first one. */
  async take(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = []
    let left = length
    while (left > 0) {
      const part = await this.takeSome(left)
      if (part === undefined) break
      parts.push(part)
      left -= part.length
    }
    if (left === length && length > 0) return undefined
    if (left > 0) throw unsound('it ends too early')
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts)
  }

  /** Returns at most this number of bytes; undefined at the end. */
  async takeSome(most: number): Promise<Buffer | undefined> {
    while (this.#held.length === 0) {
      const chunk = await this.#next()
      if (chunk === undefined) return undefined
      this.#held = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    }
    const part = this.#held.subarray(0, most)
    this.#held = this.#held.subarray(part.length)
    return part
  }

  async skip(length: number): Promise<void> {
    for (let left = length; left > 0; ) {
      const part = await this.takeSome(left)
      if (part === undefined) throw unsound('it ends too early')
      left -= part.length
    }
  }

  /** Reads the source to its end. */
  async drain(): Promise<void> {
    this.#held = Buffer.alloc(0)
    while ((await this.#next()) !== undefined);
  }

  /** Tells the source that nobody reads any more. */
  async close(): Promise<void> {
    if (!this.#isAtEnd) await this.#chunks.return?.()
  }

  async #next(): Promise<Uint8Array | undefined> {
    if (this.#isAtEnd) return undefined
    try {
      const { done, value } = await this.#chunks.next()
      if (done !== true) return value
      this.#isAtEnd = true
      return undefined
    } catch (error) {
      this.#isAtEnd = true
      this.failure = { error }
      throw error
    }
  }
}
