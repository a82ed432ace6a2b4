import { type Forms, LONG_LENGTH, SHORT_LENGTH } from './secret-forms.ts'

/** From where to where in a text; the end is the first place after it. */
export type Place = readonly [start: number, end: number]

export type Find = (text: string) => Place[]

/** Shorter parts of base64 are found in any text. Two letters of hexadecimal are one byte. */
const BASE64_PART = 8
const HEXADECIMAL_PART = 16
/** Of a long word, a piece begins at each multiple of this. */
const PIECE_STEP = 8
/** Of a form that would have more pieces than this, such as a secret of 500 KB, fewer are taken, further apart. */
const MOST_PIECES = 1 << 13

/** Finds words, and long words in pieces. Each looks at a text once, whatever it has to find. */
export function findWords({ words }: Forms): Find {
  const short = [...words].filter((word) => word.length <= LONG_LENGTH)
  return createFinder([...short, ...longPieces(words)])
}

/** Finds parts of encoded forms. */
export function findParts({ base64, hexadecimal }: Forms): Find {
  return createFinder([
    ...[...base64].flatMap((form) => piecesOf(form, BASE64_PART, 1)),
    ...[...hexadecimal].flatMap((form) => piecesOf(form, HEXADECIMAL_PART, 2)),
  ])
}

function longPieces(words: Iterable<string>): string[] {
  return [...words].flatMap((word) => (word.length > LONG_LENGTH ? piecesOf(word, LONG_LENGTH, PIECE_STEP) : []))
}

/** The last one ends with the form, so that the pieces together are all of it. */
function piecesOf(form: string, length: number, leastStep: number): string[] {
  if (form.length <= length) return form.length >= SHORT_LENGTH ? [form] : []
  // No more than the length of a piece, so that no letter is between two.
  const step = Math.min(length, leastStep * Math.ceil(form.length / leastStep / MOST_PIECES))
  const pieces: string[] = []
  for (let at = 0; at < form.length - length; at += step) pieces.push(form.slice(at, at + length))
  return [...pieces, form.slice(-length)]
}

/**
 * Finds all places of many words at once, in about the time of one look at each character: a secret that is a file of
 * certificates has thousands of lines, and a log many more. Each word has `SHORT_LENGTH` to `LONG_LENGTH` characters.
 */
function createFinder(words: Iterable<string>): Find {
  // By start, then by length: of words that begin alike, one look finds all of a length.
  const byStart = new Map<string, Map<number, Set<string>>>()
  // Tells at once of most places that no word begins there.
  const hasStart = new Uint8Array(1 << 16)
  for (const word of words) {
    const start = word.slice(0, SHORT_LENGTH)
    const byLength = byStart.get(start) ?? new Map<number, Set<string>>()
    byStart.set(start, byLength.set(word.length, (byLength.get(word.length) ?? new Set()).add(word)))
    hasStart[hashStart(word, 0)] = 1
  }
  return (text) => {
    const places: Place[] = []
    if (byStart.size === 0) return places
    for (let at = 0; at + SHORT_LENGTH <= text.length; at += 1) {
      if (hasStart[hashStart(text, at)] === 0) continue
      for (const [length, alike] of byStart.get(text.slice(at, at + SHORT_LENGTH)) ?? []) {
        if (alike.has(text.slice(at, at + length))) places.push([at, at + length])
      }
    }
    return places
  }
}

function hashStart(text: string, at: number): number {
  const hash =
    text.charCodeAt(at) +
    text.charCodeAt(at + 1) * 31 +
    text.charCodeAt(at + 2) * 961 +
    text.charCodeAt(at + 3) * 29_791
  return hash & 0xffff
}

/** So much of a secret's beginning or end is taken for one, next to a cut. A longer part has a piece in it. */
const SHORTEST_REST = 6
const LONGEST_REST = LONG_LENGTH + PIECE_STEP

/** Finds what may be the beginning of a word before each cut, and what may be its end after one. */
export function findRests({ words, base64, hexadecimal }: Forms, cut: string): Find {
  const all = [...words, ...base64, ...hexadecimal].filter((word) => word.length > SHORTEST_REST)
  const findBeginnings = createRestFinder(all, cut)
  const findEnds = createRestFinder(
    all.map((word) => reverse(word.slice(-LONGEST_REST))),
    cut,
  )
  return (text) => {
    if (!text.includes(cut)) return []
    const ends = findEnds(reverse(text)).map(([start, end]): Place => [text.length - end, text.length - start])
    return [...findBeginnings(text), ...ends]
  }
}

/** By unit, not by character: places stay what they are. */
function reverse(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(text.length - 1 - index))
  let reversed = ''
  for (let at = 0; at < units.length; at += 4096) reversed += String.fromCharCode(...units.slice(at, at + 4096))
  return reversed
}

/** Looks back from each cut, and never past the one before it: each character is looked at once. */
function createRestFinder(words: readonly string[], cut: string): Find {
  const beginnings = [...new Set(words.map((word) => word.slice(0, LONGEST_REST)))].sort(compareUnits)
  const hasStart = new Uint8Array(1 << 16)
  for (const word of beginnings) hasStart[hashStart(word, 0)] = 1
  return (text) => {
    const places: Place[] = []
    let last = 0
    for (let end = text.indexOf(cut); end !== -1; end = text.indexOf(cut, end + 1)) {
      for (let at = Math.max(last, end - LONGEST_REST); at <= end - SHORTEST_REST; at += 1) {
        if (hasStart[hashStart(text, at)] === 0 || !hasBeginning(beginnings, text.slice(at, end))) continue
        places.push([at, end])
        break
      }
      last = end + 1
    }
    return places
  }
}

/** Whether one of the sorted words begins so. */
function hasBeginning(sorted: readonly string[], beginning: string): boolean {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sorted[middle] as string) < beginning) low = middle + 1
    else high = middle
  }
  return sorted[low]?.startsWith(beginning) === true
}

function compareUnits(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
