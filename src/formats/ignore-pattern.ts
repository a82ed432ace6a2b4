/** What one pattern of a `.dockerignore` says of paths that are relative to the context, with slashes. */
export interface IgnorePattern {
  /** Whether it matches the path, or a folder that the path is in. */
  matches(path: string): boolean
  /** Whether it can match something in a folder that it does not match. */
  canMatchInside(folder: string): boolean
}

/**
 * Reads a pattern as moby/patternmatcher 0.6 does. Docker turns a pattern with `*`, `?`, `[`, `]` or a backslash into a
 * regular expression, in which more characters have a meaning than its documentation says: `^`, `|`, and a letter after
 * a backslash. They have it here, too. Throws a SyntaxError for a pattern that Docker refuses, and for `a{2}`.
 */
export function readIgnorePattern(text: string): IgnorePattern {
  if (!/[*?[\]\\]/.test(text)) {
    return {
      matches: (path) => path === text || path.startsWith(`${text}/`),
      canMatchInside: (folder) => text.startsWith(`${folder}/`),
    }
  }
  if (/^[^*?[\]\\]*\*\*$/.test(text)) {
    const start = text.slice(0, -2)
    return {
      matches: (path) => path.startsWith(start),
      canMatchInside: (folder) => start.startsWith(`${folder}/`),
    }
  }
  if (/^\*\*[^*?[\]\\]*$/.test(text)) {
    const end = text.slice(2)
    return { matches: (path) => `/${path}/`.includes(`${end}/`), canMatchInside: () => true }
  }
  checkStart(text)
  const alternatives = readExpression(expressionOf(text))
  return {
    matches: (path) => alternatives.some((tokens) => follow(tokens, path) === 'matches'),
    canMatchInside: (folder) => alternatives.some((tokens) => follow(tokens, `${folder}/`) !== 'fails'),
  }
}

/** Docker checks a pattern up to its first star with filepath.Match, which is stricter with classes than an expression. */
function checkStart(text: string): void {
  const CHARACTER = String.raw`(?:\\.|[^\\\]\-])`
  const CLASS = String.raw`\[(?:\^|(?!\^))(?:${CHARACTER}(?:-${CHARACTER})?)+\]`
  const start = /^\*/.test(text) ? text.replace(/^\*+/, '') : text
  const checked = new RegExp(String.raw`^(?:\\.|[^*[\\]|${CLASS})*(?<rest>[[\\])?`, 'su').exec(start)
  const rest = checked?.groups?.rest
  if (rest === '[') throw new SyntaxError(BAD_CLASS)
  if (rest === '\\') throw new SyntaxError(BAD_ESCAPE)
}

const BAD_CLASS = 'has a `[` without a `]`, or with a character between them that needs a backslash'
const BAD_ESCAPE = 'has a backslash at its end, or before a letter or digit that means nothing there'

/** Writes the expression that Docker writes, without its start and end. Docker reads over a byte order mark. */
function expressionOf(text: string): string {
  return text.replace(/^\uFEFF/, '').replace(/\\.|\*\*\/?|[*?.+()$]/gsu, (found, at: number, written: string) => {
    if (found.startsWith('\\')) return found
    if (found.startsWith('**')) return at + found.length === written.length ? '.*' : '(.*/)?'
    if (found === '*') return '[^/]*'
    return found === '?' ? '[^/]' : `\\${found}`
  })
}

interface CharacterClass {
  readonly isNegated: boolean
  /** Code points, both included. */
  readonly ranges: readonly Range[]
  /** Whether it stands for any number of characters. */
  readonly isRepeated: boolean
}

type Range = readonly [from: number, to: number]

/** The start of the path. */
const start = Symbol('^')
/** Any characters, the last of which is a slash. A state of its own: it cannot be left before the first slash. */
const folders = Symbol('folders')
/** `folders`, which comes next, or nothing. */
const maybeFolders = Symbol('maybe folders')
const everything: CharacterClass = { isNegated: true, ranges: [], isRepeated: true }

type Token = string | CharacterClass | symbol
type Tokens = readonly Token[]

const TOKEN = /\(\.\*\/\)\?|\.\*|\[|\\.|\{\d+(?:,\d*)?\}|./suy

function readExpression(expression: string): readonly Tokens[] {
  const alternatives: Token[][] = [[]]
  for (let at = 0; at < expression.length; ) {
    TOKEN.lastIndex = at
    const found = TOKEN.exec(expression)?.[0] ?? ''
    const tokens = alternatives.at(-1) ?? []
    if (found === '[') {
      const [end, token] = readClass(expression, at)
      tokens.push(token)
      at = end
      continue
    }
    at += found.length
    if (found === '|') alternatives.push([])
    else tokens.push(...readToken(found))
  }
  // Only the first alternative has to begin where the path does, and only the last has to end there.
  return alternatives.map((tokens, index) => [
    ...(index > 0 ? [everything] : []),
    ...tokens,
    ...(index < alternatives.length - 1 ? [everything] : []),
  ])
}

function readToken(found: string): Tokens {
  if (found === '(.*/)?') return [maybeFolders, folders]
  if (found === '.*') return [everything]
  if (found === '^') return [start]
  if (found.startsWith('{') && found !== '{') throw new SyntaxError(`needs a backslash before \`${found}\``)
  if (!found.startsWith('\\')) return [found]
  const name = found.slice(1)
  const set = SETS[name.toLowerCase()]
  if (set !== undefined) return [{ isNegated: name !== name.toLowerCase(), ranges: set, isRepeated: false }]
  return [readEscape(found)]
}

/** What Go reads after a backslash, as ranges; with a capital letter, everything else. */
const SETS: Readonly<Record<string, readonly Range[]>> = {
  d: toRanges('09'),
  s: toRanges('\t\n\f\r  '),
  w: toRanges('09AZaz__'),
}

const CONTROLS: Readonly<Record<string, string>> = { a: '\x07', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

function readEscape(found: string): string {
  const character = found.slice(1)
  const control = CONTROLS[character]
  if (control !== undefined) return control
  if (!/^[\0-\x7f]$/.test(character) || /^[\dA-Za-z]$/.test(character)) throw new SyntaxError(BAD_ESCAPE)
  return character
}

/** Reads pairs of characters. */
function toRanges(pairs: string): readonly Range[] {
  return (pairs.match(/../gs) ?? []).map(([from = '', to = '']) => [from.charCodeAt(0), to.charCodeAt(0)])
}

const NAMED: Readonly<Record<string, readonly Range[]>> = {
  alnum: toRanges('09AZaz'),
  alpha: toRanges('AZaz'),
  ascii: toRanges('\0\x7f'),
  blank: toRanges('\t\t  '),
  cntrl: toRanges('\0\x1f\x7f\x7f'),
  digit: toRanges('09'),
  graph: toRanges('!~'),
  lower: toRanges('az'),
  print: toRanges(' ~'),
  punct: toRanges('!/:@[`{~'),
  space: toRanges('\t\r  '),
  upper: toRanges('AZ'),
  word: toRanges('09AZaz__'),
  xdigit: toRanges('09AFaf'),
}

const CLASS_START = /\[\^?/y
const CLASS_ITEM = /\[:(\^?)([^\]]*?):\]|(\\.|[^\\])(?:-(\\.|[^\\\]]))?/suy

/** Reads the class at `at`. Returns where it ends, and its token. */
function readClass(expression: string, at: number): [end: number, token: CharacterClass] {
  CLASS_START.lastIndex = at
  const isNegated = CLASS_START.exec(expression)?.[0] === '[^'
  const ranges: Range[] = []
  for (let next = CLASS_START.lastIndex, isFirst = true; ; isFirst = false) {
    if (expression[next] === ']' && !isFirst) {
      const isRepeated = expression[next + 1] === '*'
      return [next + (isRepeated ? 2 : 1), { isNegated, ranges, isRepeated }]
    }
    CLASS_ITEM.lastIndex = next
    const item = CLASS_ITEM.exec(expression)
    if (item === null) throw new SyntaxError(BAD_CLASS)
    ranges.push(...readItem(item))
    next += item[0].length
  }
}

function readItem([shown, not, named, from = '', to = from]: RegExpExecArray): readonly Range[] {
  const set = named === undefined ? SETS[/^\\([dswDSW])$/.exec(from)?.[1]?.toLowerCase() ?? ''] : NAMED[named]
  if (named !== undefined && set === undefined) throw new SyntaxError(`has the unknown class ${shown}`)
  if (set !== undefined) return not === '^' || /^\\[DSW]/.test(from) ? allBut(set) : set
  const [first, last] = [codeOf(from), codeOf(to)]
  if (first > last) throw new SyntaxError(`has the empty range ${shown}`)
  return [[first, last]]
}

function codeOf(written: string): number {
  return (written.startsWith('\\') ? readEscape(written) : written).codePointAt(0) ?? 0
}

function allBut(ranges: readonly Range[]): readonly Range[] {
  const ends = [-1, ...ranges.flat(), 0x110000]
  return ends.flatMap((end, index) => (index % 2 === 0 ? [[end + 1, (ends[index + 1] ?? 0) - 1] as const] : []))
}

/**
 * Follows the path through the tokens. All ways to match are followed side by side: a regular expression with many stars
 * would try them one after the other, without end.
 */
function follow(tokens: Tokens, path: string): 'matches' | 'goes on' | 'fails' {
  let states = new Set<number>()
  enter(states, tokens, 0, true)
  for (const character of path) {
    if (character === '/' && states.has(tokens.length)) return 'matches'
    const following = new Set<number>()
    for (const state of states) step(following, tokens, state, character)
    if (following.size === 0) return 'fails'
    states = following
  }
  return states.has(tokens.length) ? 'matches' : 'goes on'
}

/** Adds a state and those that can be reached from it without a character. */
function enter(states: Set<number>, tokens: Tokens, from: number, isStart = false): void {
  for (let state = from; !states.has(state); ) {
    states.add(state)
    const token = tokens[state]
    if (token === maybeFolders) {
      states.add(state + 1)
      state += 2
    } else if ((token === start && isStart) || (typeof token === 'object' && token.isRepeated)) state++
  }
}

function step(following: Set<number>, tokens: Tokens, state: number, character: string): void {
  const token = tokens[state]
  if (token === folders) {
    following.add(state)
    if (character === '/') enter(following, tokens, state + 1)
  } else if (typeof token === 'object') {
    if (matchesClass(token, character)) enter(following, tokens, token.isRepeated ? state : state + 1)
  } else if (token === character) enter(following, tokens, state + 1)
}

function matchesClass({ isNegated, ranges }: CharacterClass, character: string): boolean {
  const code = character.codePointAt(0) ?? 0
  return ranges.some(([from, to]) => from <= code && code <= to) !== isNegated
}
