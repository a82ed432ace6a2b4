/** Shorter than this, a value is a part of ordinary words. A longer one is looked up by so many of its characters. */
export const SHORT_LENGTH = 4

/**
 * All the ways in which a secret's value is looked for: as it is, as JSON writers escape it, URL-encoded, and in base64,
 * alone or as a part of something longer; and each of its lines, as a log puts its time in front of them. Empty for one
 * that is too short to be told from other text.
 */
export function formsOf(value: string): Set<string> {
  const lines = value.split(/\r?\n/).map((line) => line.trim())
  const isLong = (text: string): boolean => text.length >= SHORT_LENGTH
  return new Set([
    ...(isLong(value) ? [value, ...jsonForms(value), ...urlForms(value), ...base64Forms(value)] : []),
    // A file of certificates has thousands, and each form costs a look through every text.
    ...lines.filter(isLong).flatMap((line) => [line, ...jsonForms(line)]),
  ])
}

/** JavaScript escapes the least, Go `<>&` too, PHP the slash, Python all that is not ASCII. */
function jsonForms(value: string): string[] {
  const plain = JSON.stringify(value).slice(1, -1)
  const goLike = plain.replaceAll(/[<>&\u2028\u2029]/g, toUnicodeEscape)
  const ascii = (text: string): string => text.replaceAll(/[\u007f-\uffff]/g, toUnicodeEscape)
  const upper = (text: string): string =>
    text.replaceAll(/\\u[0-9a-f]{4}/g, (unit) => `\\u${unit.slice(2).toUpperCase()}`)
  const slashed = (text: string): string => text.replaceAll('/', '\\/')
  const forms = [plain, goLike, ascii(plain), ascii(goLike)]
  return forms.flatMap((form) => [form, slashed(form), upper(form), slashed(upper(form))])
}

function toUnicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** Encoders differ in the marks that they leave as they are, and in the case of their digits. */
function urlForms(value: string): string[] {
  const encode = (marks: RegExp): string => value.replaceAll(marks, encodeBytes)
  const forms = [
    encode(/[^A-Za-z0-9_.~-]/gu),
    encode(/[^A-Za-z0-9_.~!*'()-]/gu),
    // A form's.
    encode(/[^A-Za-z0-9_.*-]/gu),
    // What a path, a query and the user of a URL may hold.
    encode(/[^A-Za-z0-9_.~!*'();:@&=+$,/?-]/gu),
    encode(/[^A-Za-z0-9_.~!*'();&=+$,-]/gu),
  ]
  const spaced = forms.flatMap((form) => [form, form.replaceAll('%20', '+')])
  const lower = (form: string): string => form.replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())
  return spaced.flatMap((form) => [form, lower(form)])
}

function encodeBytes(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** Shorter parts of base64 are found in any text. */
const SHORTEST_PART = 8

/** Base64 has three bytes in four letters, so that it depends on where in them a value begins: `user:value` hides it. */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value)
  const whole = bytes.toString('base64')
  const parts = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replaceAll('=', '')
    // The letters that also depend on what stands before and after are left out.
    const isCut = (offset + bytes.length) % 3 !== 0
    return text.slice(offset === 0 ? 0 : offset + 1, isCut ? -1 : undefined)
  })
  const forms = [whole, whole.replaceAll('=', ''), ...parts.filter((part) => part.length >= SHORTEST_PART)]
  return forms.flatMap((form) => [form, form.replaceAll('+', '-').replaceAll('/', '_')])
}

/** From where to where in a text; the end is the first place behind. */
export type Place = readonly [start: number, end: number]

/**
 * Finds all places of many words at once, in about the time of one look at each character: a secret that is a file of
 * certificates has thousands of lines, and a log many more. Each word has at least `SHORT_LENGTH` characters.
 */
export function createFinder(words: Iterable<string>): (text: string) => Place[] {
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
