import type { Readable } from 'node:stream'
import type { OutputChunk, OutputStream } from '../../../model/container.ts'

/** What is kept of output that nobody reads yet; then the program waits. */
const MOST_KEPT_BYTES = 1 << 20

type Streams = Readonly<Partial<Record<OutputStream, Readable | null>>>

/** Yields what arrives on several streams, in the order of its arrival, until all have ended. */
export async function* mergeOutput(streams: Streams): AsyncGenerator<OutputChunk, void, void> {
  const merger = new Merger(streams)
  for (;;) {
    const chunk = merger.take()
    if (chunk !== undefined) yield chunk
    else if (merger.isAtEnd) return
    else await merger.change()
  }
}

class Merger {
  readonly #queue: OutputChunk[] = []
  readonly #open = new Set<Readable>()
  #kept = 0
  #wake = (): void => {}

  constructor(streams: Streams) {
    for (const name of ['stdout', 'stderr'] as const) {
      const stream = streams[name]
      if (stream != null && !stream.closed) this.#add(name, stream)
    }
  }

  get isAtEnd(): boolean {
    return this.#open.size === 0
  }

  take(): OutputChunk | undefined {
    const chunk = this.#queue.shift()
    const wasFull = this.#kept > MOST_KEPT_BYTES
    this.#kept -= chunk?.bytes.length ?? 0
    if (wasFull && this.#kept <= MOST_KEPT_BYTES) for (const one of this.#open) one.resume()
    return chunk
  }

  /** Resolves when something arrives or ends. */
  change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }

  #add(name: OutputStream, stream: Readable): void {
    this.#open.add(stream)
    stream.on('data', (bytes: Buffer) => {
      this.#queue.push({ stream: name, bytes })
      this.#kept += bytes.length
      if (this.#kept > MOST_KEPT_BYTES) for (const one of this.#open) one.pause()
      this.#wake()
    })
    // A stream that breaks ends: why the command ended is known from elsewhere.
    stream.on('error', () => {})
    stream.on('close', () => {
      this.#open.delete(stream)
      this.#wake()
    })
  }
}
