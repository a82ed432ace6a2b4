import type { OutputChunk, OutputStream } from '../../../model/container.ts'
import { formatTime, type LogRecord, timeOf } from './log-record.ts'

const LINE_FEED = Buffer.from('\n')

/** Puts the lines of output together from records, in their order. */
export class Assembler {
  readonly #timestamps: boolean
  readonly #sinceMs: number
  /** Whether each stream is within a line, and whether that line is left out because it is too old. */
  readonly #within: Record<OutputStream, { isWithin: boolean; isLeftOut: boolean }> = {
    stdout: { isWithin: false, isLeftOut: false },
    stderr: { isWithin: false, isLeftOut: false },
  }

  constructor({ timestamps = false, sinceMs = 0 }: { timestamps?: boolean; sinceMs?: number | undefined }) {
    this.#timestamps = timestamps
    this.#sinceMs = sinceMs
  }

  /** Returns the output of these records: neighbours of the same stream are one chunk. */
  chunksOf(records: readonly LogRecord[]): readonly OutputChunk[] {
    const chunks: { stream: OutputStream; parts: Buffer[] }[] = []
    for (const record of records) {
      const parts = this.#partsOf(record)
      const last = chunks.at(-1)
      if (parts.length === 0) continue
      if (last?.stream === record.stream) last.parts.push(...parts)
      else chunks.push({ stream: record.stream, parts })
    }
    return chunks.map(({ stream, parts }) => ({ stream, bytes: Buffer.concat(parts) }))
  }

  #partsOf(record: LogRecord): Buffer[] {
    const state = this.#within[record.stream]
    const isFirst = !state.isWithin
    if (isFirst) state.isLeftOut = timeOf(record) < this.#sinceMs
    state.isWithin = record.isPart
    if (state.isLeftOut) return []
    const stamp = isFirst && this.#timestamps ? [Buffer.from(`${formatTime(record)} `)] : []
    return [...stamp, record.bytes, ...(record.isPart ? [] : [LINE_FEED])]
  }
}
