import type { BuildProgress } from '../engine.ts'
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
      const stream = streams.get(number) ?? new LineReader()
      streams.set(number, stream)
      const lines = stream.read(bytes).map(showLine)
      stream.shorten(maxLineLength)
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
  const shown = line.replace(/\r+$/, '')
  return (
    shown
      .slice(shown.lastIndexOf('\r') + 1)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: what a program prints must not steer the terminal
      .replace(/\u001b\[[0-9;?]*[A-Za-z]|[\u0000-\u0008\u000b-\u001f\u007f]/g, '')
      .slice(0, maxLineLength)
  )
}
