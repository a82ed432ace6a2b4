import { proseOf } from './prose.ts'
import { type Rule, rules } from './rules.ts'

export interface Word {
  readonly line: number
  readonly column: number
  /** Found words, in one line. */
  readonly found: string
  readonly write: string
}

/** A comment of one word is a riddle. */
const LONE_WORD = /\/\*\*\s*[A-Z][a-z]+\.\s*\*\/|(?<=^\s*)\/\/\s*[A-Z][a-z]+\.?$/gm

/**
 * A docstring starts with a verb ("Starts …") or names the value ("Port on the host …"). One that starts with these hides
 * its subject.
 */
const OPENING =
  /\/\*\*[\s*]+(?:As|But|By|For|From|In|It|Its|More|Nobody|Nothing|Of|One|So|Such|That|Their|These|They|This|Those|Undefined|What|Where|Who|With|Without)\b/g

/**
 * Finds the words of a file that are out, in the order of the file. Reads comments, strings, titles and pages, but not
 * code. With `isStrict`, also finds docstrings that hide their subject.
 */
export function findWords(path: string, text: string, isStrict = false): Word[] {
  const prose = proseOf(path, text)
  const found = rules.flatMap((rule) => find(prose, rule))
  if (path.endsWith('.ts') && !path.endsWith('.test.ts'))
    found.push(...find(text, { pattern: LONE_WORD, write: 'a phrase that says what it is' }))
  if (isStrict) found.push(...find(text, { pattern: OPENING, write: 'start with a verb, or name the value' }))
  found.sort((a, b) => a.at - b.at)
  let end = 0
  return found.flatMap(({ at, found: words, write }) => {
    // Two rules may find the same words.
    if (at < end) return []
    end = at + words.length
    const before = text.slice(0, at).split('\n')
    return [{ line: before.length, column: (before.at(-1) ?? '').length + 1, found: shorten(words), write }]
  })
}

function find(text: string, { pattern, write, allowed = 0 }: Rule): { at: number; found: string; write: string }[] {
  const matches = [...text.matchAll(pattern)]
  return matches.slice(allowed).map((match) => ({ at: match.index, found: match[0], write }))
}

function shorten(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/`+/g, '`…`').slice(0, 60)
}
