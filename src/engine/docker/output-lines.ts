import { StringDecoder } from 'node:string_decoder'

/** Makes lines of what a step writes in pieces, and keeps the last of them. */
export interface OutputLines {
  /** The lines that are whole now. */
  add(bytes: Uint8Array): readonly string[]
  /** What was begun without an end. */
  finish(): readonly string[]
  /** The last lines, the unfinished one with them. */
  last(): readonly string[]
}

const keptLines = 40
const maxLineLength = 4096

export function collectLines(): OutputLines {
  const decoder = new StringDecoder('utf8')
  const kept: string[] = []
  let pending = ''
  const keep = (lines: readonly string[]): readonly string[] => {
    kept.push(...lines.slice(-keptLines))
    kept.splice(0, kept.length - keptLines)
    return lines
  }
  return {
    add(bytes) {
      const lines = (pending + decoder.write(Buffer.from(bytes))).split('\n')
      pending = (lines.pop() ?? '').slice(-maxLineLength)
      return keep(lines.map(showLine))
    },
    finish() {
      const rest = pending + decoder.end()
      pending = ''
      return rest === '' ? [] : keep([showLine(rest)])
    },
    last: () => (pending === '' ? [...kept] : [...kept, showLine(pending)].slice(-keptLines)),
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
