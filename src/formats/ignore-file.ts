import { posix } from 'node:path'
import { type IgnorePattern, readIgnorePattern } from './ignore-pattern.ts'

/** What the text of a `.dockerignore` file says of paths that are relative to the context, with slashes. */
export interface IgnoreFile {
  /** Whether the path is kept out of the context. */
  ignores(path: string): boolean
  /** Whether an exception can match something in a folder that is ignored. If not, nobody has to look into it. */
  mayKeepInside(folder: string): boolean
}

/**
 * Reads a `.dockerignore` as Docker's builder does (moby/patternmatcher):
 *
 * - one pattern a line; a line that starts with `#` is a comment; the last pattern that matches decides; `!` takes back;
 * - `*`, `?` and `[…]` as in Go's filepath.Match, `**` for any number of folders;
 * - a pattern that matches a folder matches everything in it.
 *
 * Fails with an `IgnoreFileError` for a pattern that Docker refuses.
 */
export function readIgnoreFile(text: string): IgnoreFile {
  const lines = text.replace(/^\uFEFF/, '').split('\n')
  if (lines.length > MAX_LINES)
    throw new IgnoreFileError(MAX_LINES + 1, lines[MAX_LINES] ?? '', `goes beyond the ${MAX_LINES} that are read`)
  const rules = lines.flatMap((line, index) => readRule(line, index + 1))
  return {
    ignores(path) {
      let isIgnored = false
      for (const { isException, pattern } of rules) {
        if (isException === isIgnored && pattern.matches(path)) isIgnored = !isIgnored
      }
      return isIgnored
    },
    // An exception that matches the folder itself has been overruled for all that is in it.
    mayKeepInside: (folder) =>
      rules.some(
        ({ isException, pattern }) => isException && pattern.canMatchInside(folder) && !pattern.matches(folder),
      ),
  }
}

/** Each path is compared with every pattern: more of them would keep everything else waiting. */
const MAX_LINES = 10_000

/** A pattern that is malformed. */
export class IgnoreFileError extends Error {
  /** Counts from 1. */
  readonly line: number
  /** The message without the pattern. */
  readonly why: string

  constructor(line: number, pattern: string, why: string) {
    super(`the pattern ${JSON.stringify(pattern.trim())} ${why}`)
    this.line = line
    this.why = why
  }
}

interface Rule {
  readonly isException: boolean
  readonly pattern: IgnorePattern
}

function readRule(line: string, number: number): readonly Rule[] {
  if (line.startsWith('#')) return []
  // Docker cleans a line twice; so `/!a` is an exception, too.
  const cleaned = cleanLine(line)
  const pattern = cleaned === '' ? '' : clean(trim(cleaned))
  if (pattern === '') return []
  if (pattern === '!') throw new IgnoreFileError(number, line, 'names nothing after `!`')
  const isException = pattern.startsWith('!')
  try {
    return [{ isException, pattern: readIgnorePattern(isException ? pattern.slice(1) : pattern) }]
  } catch (error) {
    if (error instanceof SyntaxError) throw new IgnoreFileError(number, line, error.message)
    throw error
  }
}

/** Cleans the pattern after the `!`, and removes a slash at its start: every pattern starts at the context's root. */
function cleanLine(line: string): string {
  const [, exception = '', rest = ''] = /^(!?)(.*)$/s.exec(trim(line)) ?? []
  const written = trim(rest)
  if (written === '') return exception
  return exception + clean(written).replace(/^\/(?=.)/s, '')
}

/** Removes what Go counts as white space; JavaScript counts a byte order mark, too. */
function trim(text: string): string {
  return text.replace(/^(?:[^\S\uFEFF]|\x85)+|(?:[^\S\uFEFF]|\x85)+$/g, '')
}

/** As Go's filepath.Clean. */
function clean(path: string): string {
  return posix.normalize(path).replace(/(?<=.)\/$/s, '')
}
