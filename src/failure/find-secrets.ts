import { type Forms, LONG_LENGTH, SHORT_LENGTH } from './secret-forms.ts'

/** Start and end of a match in a text; the end is exclusive. */
export type Place = readonly [start: number, end: number]

export type Find = (text: string) => Place[]

/** Shortest part of base64 to search for: shorter ones appear in any text. Two hexadecimal digits are one byte. */
const BASE64_PART = 8
const HEXADECIMAL_PART = 16
/** Distance between the starts of two pieces of a long word. */
const PIECE_STEP = 8
/** Upper bound for the pieces of one form. A longer form, such as a secret of 500 KB, has pieces further apart. */
const MOST_PIECES = 1 << 13

/** Finds words, and long words in pieces, in one pass over the text. */
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

/** Cuts a form into pieces that cover all of it: the last one ends with the form. */
function piecesOf(form: string, length: number, leastStep: number): string[] {
  if (form.length <= length) return form.length >= SHORT_LENGTH ? [form] : []
  // At most the length of a piece, so that the pieces have no gaps.
  const step = Math.min(length, leastStep * Math.ceil(form.length / leastStep / MOST_PIECES))
  const pieces: string[] = []
  for (let at = 0; at < form.length - length; at += step) pieces.push(form.slice(at, at + length))
  return [...pieces, form.slice(-length)]
}

/**
 * Finds many words at once, in about the time of one pass over the text: a secret that is a file of certificates has
 * thousands of lines, and a log many more. Each word has `SHORT_LENGTH` to `LONG_LENGTH` characters.
 */
function createFinder(words: Iterable<string>): Find {
  // By beginning, then by length: one lookup covers all words of a length.
  const byStart = new Map<string, Map<number, Set<string>>>()
  // Quickly excludes most positions, where no word begins.
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

/** Shortest beginning or end of a secret that is recognized next to a cut. Longer parts contain a whole piece. */
const SHORTEST_REST = 6
const LONGEST_REST = LONG_LENGTH + PIECE_STEP

/** Finds possible beginnings of words before each cut, and possible ends after it. */
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

/** Reverses by code unit instead of character, so that positions stay valid. */
function reverse(text: string): string {
  const units = Array.from({ length: text.length }, (_, index) => text.charCodeAt(text.length - 1 - index))
  let reversed = ''
  for (let at = 0; at < units.length; at += 4096) reversed += String.fromCharCode(...units.slice(at, at + 4096))
  return reversed
}

/** Looks back from each cut, but never past the previous one, so that each character is read once. */
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

/** Whether one of the sorted words begins with this text. */
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
