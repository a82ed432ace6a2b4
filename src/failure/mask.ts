import { isFailure } from '../model/failures.ts'

/** Takes the values of secrets out of what is written or said. */
export interface Mask {
  text(text: string): string
  /** The same for all texts in a value that becomes JSON, its keys and numbers too; it stays JSON. */
  json(value: unknown): unknown
  /** No form of a secret is longer: the end of a text that was cut may hold so much less one of it. */
  readonly longestLength: number
}

/** What stands in the place of a secret. */
const MASKED = '***'

/** What was shortened before it came here ends so, and may end in the middle of a secret. */
const CUTS = /…/g
/** So much of the beginning of a secret is taken for one, in front of a cut. */
const SHORTEST_BEGINNING = 6
/** What is shortened is cut to fewer characters. */
const LONGEST_BEGINNING = 100

export function createMask(values: Iterable<string>): Mask {
  const known = [...new Set(values)].filter((value) => value !== '')
  const forms = [...new Set(known.flatMap((value) => [...formsOf(value)]))]
  // `a` as a secret must not take the letter out of every word.
  const short = known.filter((value) => value.length < SHORT_LENGTH).map(standsAlone)
  const find = createFinder(forms)
  const text = (text: string): string => {
    const beginnings = text.includes('…') ? forms.flatMap((form) => findBeginnings(text, form)) : []
    const places = [...find(text), ...beginnings]
    return short.reduce((rest, pattern) => rest.replaceAll(pattern, MASKED), replacePlaces(text, places))
  }
  return {
    text,
    json: (value) => maskJson(value, text),
    longestLength: forms.reduce((longest, { length }) => Math.max(longest, length), 0),
  }
}

/** What may be the beginning of this form, in front of each cut. */
function findBeginnings(text: string, form: string): Place[] {
  return [...text.matchAll(CUTS)].flatMap(({ index: end }) => {
    for (let length = Math.min(form.length - 1, end, LONGEST_BEGINNING); length >= SHORTEST_BEGINNING; length -= 1) {
      if (text.startsWith(form.slice(0, length), end - length)) return [[end - length, end] as const]
    }
    return []
  })
}

/** Places that overlap are one: of two secrets, the one may end as the other begins. */
function replacePlaces(text: string, places: Place[]): string {
  if (places.length === 0) return text
  places.sort((a, b) => a[0] - b[0])
  let masked = ''
  let end = 0
  for (const [from, to] of places) {
    if (from >= end) masked += `${text.slice(end, from)}${MASKED}`
    end = Math.max(end, to)
  }
  return masked + text.slice(end)
}

function standsAlone(value: string): RegExp {
  return new RegExp(`(?<![\\p{L}\\p{N}])${value.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}(?![\\p{L}\\p{N}])`, 'gu')
}

function maskJson(value: unknown, maskText: (text: string) => string): unknown {
  if (typeof value === 'string') return maskText(value)
  if (typeof value === 'number') return maskText(String(value)) === String(value) ? value : MASKED
  if (Array.isArray(value)) return value.map((item) => maskJson(item, maskText))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [maskText(key), maskJson(item, maskText)]))
}

/** Masks all that a failure says: whoever prints it prints its stack and its causes too. */
export function maskFailure(error: unknown, mask: Mask, seen: Set<unknown> = new Set()): void {
  if (!(error instanceof Error) || seen.has(error)) return
  seen.add(error)
  // The stack first: it is made of the message when it is first asked for.
  if (error.stack !== undefined) error.stack = mask.text(error.stack)
  error.message = mask.text(error.message)
  if (isFailure(error)) {
    error.output = error.output.map(mask.text)
    if (error.hint !== undefined) error.hint = mask.text(error.hint)
  }
  if (typeof error.cause === 'string') error.cause = mask.text(error.cause)
  maskFailure(error.cause, mask, seen)
  if (error instanceof AggregateError) for (const one of error.errors) maskFailure(one, mask, seen)
}

/** Shorter than this, a value is a part of ordinary words. A longer one is looked up by so many of its characters. */
const SHORT_LENGTH = 4

/**
 * All the ways in which a secret's value is looked for: as it is, as JSON writers escape it, URL-encoded, and in base64,
 * alone or as a part of something longer; and each of its lines, as a log puts its time in front of them. Empty for one
 * that is too short to be told from other text.
 */
function formsOf(value: string): Set<string> {
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
function createFinder(words: Iterable<string>): (text: string) => Place[] {
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
