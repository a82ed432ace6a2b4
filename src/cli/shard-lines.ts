import type { ProgramStreams } from '../api/types/run.ts'

/** A longer line is printed in pieces. */
const LONGEST_LINE_BYTES = 1024 * 1024
const LINE_FEED = 0x0a
/** A command for a CI job, which the job only finds at the start of a line. */
const CI_COMMAND = /^[ \t]*(?:::|##(?:vso|teamcity)?\[)/

interface Target {
  readonly mark: string
  /** Whether the lines are read by a CI system that finds commands in them. */
  readonly isOnCi: boolean
  stdout(bytes: Buffer): void
  stderr(bytes: Buffer): void
}

/**
 * Prints the output of a command in whole lines, each with a mark, so that lines of several commands do not mix. At its end,
 * a line without a line feed gets one.
 */
export function openShardLines({ mark, isOnCi, ...target }: Target): ProgramStreams {
  const [out, err] = (['stdout', 'stderr'] as const).map((name) =>
    collectLines((line) => {
      const isCommand = isOnCi && CI_COMMAND.test(line.toString('latin1', 0, 64))
      target[name](isCommand ? line : Buffer.concat([Buffer.from(mark), line]))
    }),
  ) as [Collector, Collector]
  return {
    stdout: out.add,
    stderr: err.add,
    end() {
      out.end()
      err.end()
    },
  }
}

interface Collector {
  add(bytes: Buffer): void
  end(): void
}

/** Calls `onLine` with each line, which includes its line feed. */
function collectLines(onLine: (line: Buffer) => void): Collector {
  let parts: Buffer[] = []
  let size = 0
  const flush = (rest: Buffer): void => {
    const line = Buffer.concat([...parts, rest])
    parts = []
    size = 0
    if (line.length > 0) onLine(line.at(-1) === LINE_FEED ? line : Buffer.concat([line, Buffer.from('\n')]))
  }
  return {
    add(bytes) {
      let from = 0
      for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, from)) {
        flush(bytes.subarray(from, at + 1))
        from = at + 1
      }
      const rest = bytes.subarray(from)
      if (rest.length === 0) return
      parts.push(rest)
      size += rest.length
      if (size > LONGEST_LINE_BYTES) flush(Buffer.alloc(0))
    },
    end: () => flush(Buffer.alloc(0)),
  }
}
