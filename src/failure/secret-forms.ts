import { stripFromLines } from '../formats/strip-controls.ts'

/** Shorter values occur inside ordinary words. */
export const SHORT_LENGTH = 4

/**
 * Longer values are searched in pieces of this length, so that most of one is found when it is split by a line end or a
 * cut.
 */
export const LONG_LENGTH = 32

export interface Forms {
  /** Searched as they are. */
  readonly words: ReadonlySet<string>
  /**
   * Encoded forms, also searched in parts of this length, because line ends, prefixes and neighbours split them
   * anywhere.
   */
  readonly base64: ReadonlySet<string>
  readonly hexadecimal: ReadonlySet<string>
}

/**
 * Returns all forms in which secrets are searched: plain, escaped as JSON and HTML writers do, URL-encoded, in
 * hexadecimal, and in base64, alone or as part of something longer. Lines of a secret are searched separately, because
 * a log prefixes each of them. Values that are too short to be distinguished have no forms.
 */
export function formsOf(values: readonly string[]): Forms {
  const words = new Set<string>()
  const base64 = new Set<string>()
  const hexadecimal = new Set<string>()
  const add = (forms: Iterable<string>): void => {
    for (const form of forms) if (form.length >= SHORT_LENGTH) words.add(form)
  }
  // Terminal control characters are removed from a text before it is searched.
  for (const value of new Set(values.flatMap((one) => [one, stripFromLines(one)]))) {
    if (value.length < SHORT_LENGTH) continue
    add([value, ...jsonForms(value), ...htmlForms(value), ...urlForms(value)])
    for (const line of value.split('\n').map((one) => one.trim())) {
      if (line.length >= SHORT_LENGTH) add([line, ...jsonForms(line)])
    }
    for (const form of base64Forms(value)) base64.add(form)
    const digits = Buffer.from(value).toString('hex')
    hexadecimal.add(digits).add(digits.toUpperCase())
  }
  return { words, base64, hexadecimal }
}

/** JSON escapes: JavaScript escapes the least, Go also `<>&`, PHP also the slash, Python all non-ASCII characters. */
function jsonForms(value: string): string[] {
  const plain = JSON.stringify(value).slice(1, -1)
  const goLike = plain.replaceAll(/[<>&\u2028\u2029]/g, toUnicodeEscape)
  const ascii = (text: string): string => text.replaceAll(/[\u007f-\uffff]/g, toUnicodeEscape)
  const upper = (text: string): string =>
    text.replaceAll(/\\u[0-9a-f]{4}/g, (unit) => `\\u${unit.slice(2).toUpperCase()}`)
  const slashed = (text: string): string => text.replaceAll('/', '\\/')
  const forms = [...new Set([plain, goLike, ascii(plain), ascii(goLike)])]
  return forms.flatMap((form) => [form, slashed(form), upper(form), slashed(upper(form))])
}

function toUnicodeEscape(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** HTML writers differ in how they escape quotes. */
function htmlForms(value: string): string[] {
  const text = value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
  const quotes = [
    ['"', "'"],
    ['&quot;', "'"],
    ['&quot;', '&#39;'],
    ['&quot;', '&#x27;'],
    ['&quot;', '&#039;'],
  ]
  return [...quotes, ['&#34;', '&#39;']].map(([double = '', single = '']) =>
    text.replaceAll('"', double).replaceAll("'", single),
  )
}

/** Encoders differ in the characters that they keep, and in the case of their digits. */
function urlForms(value: string): string[] {
  const known = new Map<string, string>()
  const encodeOnce = (character: string): string => {
    const encoded = known.get(character) ?? encodeBytes(character)
    known.set(character, encoded)
    return encoded
  }
  const encode = (marks: RegExp): string => value.replaceAll(marks, encodeOnce)
  const forms = [
    encode(/[^A-Za-z0-9_.~-]/gu),
    encode(/[^A-Za-z0-9_.~!*'()-]/gu),
    // HTML form encoding.
    encode(/[^A-Za-z0-9_.*-]/gu),
    // Characters allowed in the path, query or user of a URL.
    encode(/[^A-Za-z0-9_.~!*'();:@&=+$,/?-]/gu),
    encode(/[^A-Za-z0-9_.~!*'();&=+$,-]/gu),
  ]
  const spaced = [...new Set(forms)].flatMap((form) => [form, form.replaceAll('%20', '+')])
  const lower = (form: string): string => form.replaceAll(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase())
  return spaced.flatMap((form) => [form, lower(form)])
}

function encodeBytes(character: string): string {
  const hex = Buffer.from(character).toString('hex').toUpperCase()
  return hex.replaceAll(/../g, '%$&')
}

/**
 * Base64 encodes three bytes in four letters, so the letters depend on the position at which a value begins, as in
 * `user:value`.
 */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value)
  const whole = bytes.toString('base64')
  const parts = [0, 1, 2].map((offset) => {
    const text = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replaceAll('=', '')
    // Letters that also depend on neighbouring bytes are left out.
    const isCut = (offset + bytes.length) % 3 !== 0
    return text.slice(offset === 0 ? 0 : offset + 1, isCut ? -1 : undefined)
  })
  return [whole, whole.replaceAll('=', ''), ...parts].flatMap((form) => [
    form,
    form.replaceAll('+', '-').replaceAll('/', '_'),
  ])
}
