import { CUT, stripControls } from '../../formats/strip-controls.ts'
import type { BuildProgress } from '../image-types.ts'
import { LineReader } from '../output-text.ts'
import type { ProgressJson } from './json-lines.ts'

/** Follows the output of a builder: reports steps and output as they arrive, and knows which step failed. */
export interface BuildLog {
  read(line: ProgressJson): void
  failedStep(): FailedStep | undefined
}

export interface FailedStep {
  readonly step: number | undefined
  readonly total: number | undefined
  readonly instruction: string
  readonly output: readonly string[]
}

export type OnProgress = (progress: BuildProgress) => void

/** Turns a step's chunks of output, of one or two streams, into lines, and keeps the last of them. */
export interface OutputLines {
  /** Returns the lines that are now complete. */
  add(bytes: Uint8Array, stream?: number): readonly string[]
  /** Returns the unfinished lines. */
  finish(): readonly string[]
  /** Returns the last lines, including unfinished ones. */
  last(): readonly string[]
}

const keptLines = 40
const maxLineLength = 4096

export function collectLines(): OutputLines {
  const kept: string[] = []
  const streams = new Map<number, LineReader>()
  const keep = (lines: readonly string[]): readonly string[] => {
    kept.push(...lines.slice(-keptLines))
    kept.splice(0, kept.length - keptLines)
    return lines
  }
  const begun = (): string[] => [...streams.values()].flatMap(({ rest }) => (rest === '' ? [] : [showLine(rest)]))
  return {
    add(bytes, number = 1) {
      const stream = streams.get(number) ?? new LineReader({ length: maxLineLength + 1, keeps: 'end' })
      streams.set(number, stream)
      const lines = stream.read(bytes).map(showLine)
      return keep(lines)
    },
    finish() {
      const lines = begun()
      streams.clear()
      return keep(lines)
    },
    last: () => [...kept, ...begun()].slice(-keptLines),
  }
}

/** Returns a line as a terminal would show it in the end, without colours: carriage returns overwrite. */
function showLine(line: string): string {
  let end = line.length
  while (line[end - 1] === '\r') end -= 1
  const text = stripControls(line.slice(end === 0 ? 0 : line.lastIndexOf('\r', end - 1) + 1, end))
  return text.length > maxLineLength ? `${CUT}${text.slice(-maxLineLength)}` : text
}
