import { StringDecoder } from 'node:string_decoder'

/** Makes lines of what a step writes in pieces, to one stream or two, and keeps the last of them. */
export interface OutputLines {
  /** The lines that are whole now. */
  add(bytes: Uint8Array, stream?: number): readonly string[]
  /** What was begun without an end. */
  finish(): readonly string[]
  /** The last lines, the unfinished ones with them. */
  last(): readonly string[]
}

const keptLines = 40
const maxLineLength = 4096

export function collectLines(): OutputLines {
  const kept: string[] = []
  const streams = new Map<number, { readonly decoder: StringDecoder; pending: string }>()
  const keep = (lines: readonly string[]): readonly string[] => {
    kept.push(...lines.slice(-keptLines))
    kept.splice(0, kept.length - keptLines)
    return lines
  }
  const begun = (): string[] =>
    [...streams.values()].flatMap(({ pending }) => (pending === '' ? [] : [showLine(pending)]))
  return {
    add(bytes, number = 1) {
      const stream = streams.get(number) ?? { decoder: new StringDecoder('utf8'), pending: '' }
      streams.set(number, stream)
      const lines = (stream.pending + stream.decoder.write(Buffer.from(bytes))).split('\n')
      stream.pending = (lines.pop() ?? '').slice(-maxLineLength)
      return keep(lines.map(showLine))
    },
    finish() {
      const lines = begun()
      streams.clear()
      return keep(lines)
    },
    last: () => [...kept, ...begun()].slice(-keptLines),
  }
}

/** As a terminal would show it in the end: a progress bar writes over itself with carriage returns; no colours. */
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
