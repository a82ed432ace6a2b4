import { posix } from 'node:path'

/**
 * Returns whether a path, relative to the context and with slashes, is kept out of it by the text of a `.dockerignore`
 * file, as Docker's builder decides it (moby/patternmatcher):
 *
 * - one pattern a line; a line that starts with `#` is a comment; the last pattern that matches decides; `!` takes back;
 * - `*`, `?` and `[…]` as in Go's filepath.Match, `**` for any number of folders;
 * - a pattern that matches a folder matches everything in it.
 *
 * Fails with an `IgnoreFileError` for a pattern that Docker refuses. Docker turns a pattern into a regular expression, in
 * which a few characters mean something that its documentation does not say. Patterns with those are refused, too: to
 * guess wrong could put a secret into an image.
 */
export function compileIgnoreFile(text: string): (path: string) => boolean {
  const lines = text.replace(/^\uFEFF/, '').split('\n')
  if (lines.length > MAX_LINES)
    throw new IgnoreFileError(
      MAX_LINES + 1,
      lines[MAX_LINES]?.trim() ?? '',
      `goes beyond the ${MAX_LINES} that are read`,
    )
  const rules = lines.flatMap((line, index) => readRule(line, index + 1))
  return (path) => {
    let isIgnored = false
    for (const { isException, pattern } of rules) {
      if (isException === isIgnored && matchesPath(pattern, path)) isIgnored = !isIgnored
    }
    return isIgnored
  }
}

/** Each path is compared with every pattern: more of them would keep everything else waiting. */
const MAX_LINES = 10_000

/** A pattern that is malformed, or that Docker does not read as it is documented. */
export class IgnoreFileError extends Error {
  /** Counts from 1. */
  readonly line: number
  /** The message without the pattern. */
  readonly why: string

  constructor(line: number, pattern: string, why: string) {
    super(`the pattern ${JSON.stringify(pattern)} ${why}`)
    this.line = line
    this.why = why
  }
}

function readRule(line: string, number: number): { readonly isException: boolean; readonly pattern: Pattern }[] {
  const written = line.trim()
  if (line.startsWith('#') || written === '') return []
  if (/^!\s*\/*$/.test(written)) throw new IgnoreFileError(number, written, 'names nothing after `!`')
  const isException = written.startsWith('!')
  try {
    return [{ isException, pattern: readPattern(cleanPattern(isException ? written.slice(1).trim() : written)) }]
  } catch (error) {
    if (error instanceof SyntaxError) throw new IgnoreFileError(number, written, error.message)
    throw error
  }
}

/** Removes what Go's filepath.Clean removes, and a slash at the start: every pattern starts at the context's root. */
function cleanPattern(pattern: string): string {
  return posix
    .normalize(pattern)
    .replace(/(?<=.)\/$/, '')
    .replace(/^\/(?=.)/, '')
}

/** Any characters but a slash. */
const star = Symbol('*')
/** Any characters. */
const everything = Symbol('everything')
/** Any characters, the last of which is a slash. A state of its own: it cannot be left before the first slash. */
const folders = Symbol('folders')
/** `folders`, which comes next, or nothing. */
const maybeFolders = Symbol('maybe folders')
/** One character that is no slash. */
const anyCharacter = Symbol('?')

interface CharacterClass {
  readonly isNegated: boolean
  /** Code points, both included. */
  readonly ranges: readonly (readonly [from: number, to: number])[]
}

type Token = string | CharacterClass | symbol
type Pattern = readonly Token[]

/** Docker compares these with the start or the end of a path, and makes no regular expression of them. */
const PLAIN = /^(?:\*\*)?[^*?[\]\\]*$|^[^*?[\]\\]*\*\*$/

const ESCAPED = String.raw`\\[!-\/:-@\[-${'`'}\{-~ ]`
const BOUND = String.raw`(?:${ESCAPED}|(?!\[:)[^\]\\*?\-])`
const TOKEN = new RegExp(
  String.raw`\*\*\/?|\[(?:(?<not>\^)|(?!\^))(?<ranges>(?:${BOUND}(?:-${BOUND})?)+)\]|${ESCAPED}|.`,
  'gsu',
)

function readPattern(text: string): Pattern {
  const isPlain = PLAIN.test(text)
  // `**.log` matches `a.log`; with a further wildcard, as in `**.l?g`, only whole folders stand for `**`.
  const hasAnyStart = isPlain && /^\*\*[^/]/.test(text)
  const rest = hasAnyStart ? text.slice(2) : text
  const tokens: Token[] = hasAnyStart ? [everything] : []
  for (const match of rest.matchAll(TOKEN)) {
    if (match[0] === '^' && !isPlain) throw new SyntaxError('needs a backslash before `^`')
    tokens.push(...readToken(match))
  }
  return tokens
}

function readToken({ 0: found, index, input, groups }: RegExpExecArray): readonly Token[] {
  if (groups?.ranges !== undefined) return [readClass(groups.ranges, groups.not !== undefined)]
  if (found.startsWith('**')) return index + found.length < input.length ? [maybeFolders, folders] : [everything]
  switch (found) {
    case '*':
      return [star]
    case '?':
      return [anyCharacter]
    case '[':
      throw new SyntaxError('has a `[` without a `]`, or with a character between them that needs a backslash')
    case '\\':
      throw new SyntaxError('has a backslash at its end, or before a letter or digit')
    default:
      return [found.replace(/^\\/, '')]
  }
}

/** A slash is no special character in a class, as in Go's filepath.Match. */
function readClass(text: string, isNegated: boolean): CharacterClass {
  const ranges = [...text.matchAll(/\\?(.)(?:-\\?(.))?/gsu)].map(([shown, from = '', to = from]) => {
    const range = [from.codePointAt(0) ?? 0, to.codePointAt(0) ?? 0] as const
    if (range[0] > range[1]) throw new SyntaxError(`has the empty range ${shown}`)
    return range
  })
  return { isNegated, ranges }
}

/**
 * Returns whether the pattern matches the path, or a folder that it is in. All ways to match are followed side by side: a
 * regular expression with many stars would try them one after the other, without end.
 */
function matchesPath(pattern: Pattern, path: string): boolean {
  let states = new Set<number>()
  enter(states, pattern, 0)
  for (const character of path) {
    if (character === '/' && states.has(pattern.length)) return true
    const following = new Set<number>()
    for (const state of states) step(following, pattern, state, character)
    if (following.size === 0) return false
    states = following
  }
  return states.has(pattern.length)
}

/** Adds a state and those that can be reached from it without a character. */
function enter(states: Set<number>, pattern: Pattern, from: number): void {
  for (let state = from; !states.has(state); ) {
    states.add(state)
    const token = pattern[state]
    if (token === maybeFolders) {
      states.add(state + 1)
      state += 2
    } else if (token === star || token === everything) state++
  }
}

function step(following: Set<number>, pattern: Pattern, state: number, character: string): void {
  const token = pattern[state]
  if (token === everything || (token === star && character !== '/')) enter(following, pattern, state)
  else if (token === folders) {
    following.add(state)
    if (character === '/') enter(following, pattern, state + 1)
  } else if (token !== undefined && matchesOne(token, character)) enter(following, pattern, state + 1)
}

function matchesOne(token: Token, character: string): boolean {
  if (typeof token === 'string') return token === character
  if (typeof token === 'symbol') return token === anyCharacter && character !== '/'
  const code = character.codePointAt(0) ?? 0
  return token.ranges.some(([from, to]) => from <= code && code <= to) !== token.isNegated
}
