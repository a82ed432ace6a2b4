/** Collects output as lines. */
export interface Lines {
  add(chunk: Buffer): void
  /** Tells the unfinished last line. */
  end(): void
  /** The last lines. */
  last(): readonly string[]
}

const MOST_LAST = 40
const LONGEST_LINE = 16 << 10

/** Splits output into lines, each told at once. A line that is too long is cut into several. */
export function collectLines(tell: (line: string) => void): Lines {
  const last: string[] = []
  let rest = Buffer.alloc(0)
  const say = (bytes: Buffer): void => {
    const line = bytes.toString('utf8').replace(/\r$/, '')
    last.push(line)
    if (last.length > MOST_LAST) last.shift()
    tell(line)
  }
  return {
    add(chunk) {
      rest = Buffer.concat([rest, chunk])
      for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
        say(rest.subarray(0, end))
        rest = rest.subarray(end + 1)
      }
      while (rest.length > LONGEST_LINE) {
        say(rest.subarray(0, LONGEST_LINE))
        rest = rest.subarray(LONGEST_LINE)
      }
    },
    end() {
      if (rest.length > 0) say(rest)
      rest = Buffer.alloc(0)
    },
    last: () => last,
  }
}
