/** From where to where in a text; the end is the first place behind. */
export type Place = readonly [start: number, end: number]

/** Characters that a form must have, to be looked up by its start. */
export const START_LENGTH = 4

/**
 * Finds all places of many words at once, in about the time of one look at each character: a secret that is a file of
 * certificates has thousands of lines, and a log many more. Each word has at least `START_LENGTH` characters.
 */
export function createFinder(words: Iterable<string>): (text: string) => Place[] {
  // By start, then by length: of words that begin alike, one look finds all of a length.
  const byStart = new Map<string, Map<number, Set<string>>>()
  // Tells at once of most places that no word begins there.
  const hasStart = new Uint8Array(1 << 16)
  for (const word of words) {
    const start = word.slice(0, START_LENGTH)
    const byLength = byStart.get(start) ?? new Map<number, Set<string>>()
    byStart.set(start, byLength.set(word.length, (byLength.get(word.length) ?? new Set()).add(word)))
    hasStart[hashStart(word, 0)] = 1
  }
  return (text) => {
    const places: Place[] = []
    if (byStart.size === 0) return places
    for (let at = 0; at + START_LENGTH <= text.length; at += 1) {
      if (hasStart[hashStart(text, at)] === 0) continue
      for (const [length, alike] of byStart.get(text.slice(at, at + START_LENGTH)) ?? []) {
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
