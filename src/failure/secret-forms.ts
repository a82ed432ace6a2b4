import { stripFromLines } from '../formats/strip-controls.ts'

/** Shorter than this, a value is a part of ordinary words. */
export const SHORT_LENGTH = 4

/** Longer texts are looked for in pieces of this length, so that most of one is found when a line or a cut divides it. */
export const LONG_LENGTH = 32

export interface Forms {
  /** Looked for as they are. */
  readonly words: ReadonlySet<string>
  /** Encoded: a part of this length is looked for too, as line ends, prefixes and neighbours divide them anywhere. */
  readonly base64: ReadonlySet<string>
  readonly hexadecimal: ReadonlySet<string>
}

/**
 * All the ways in which the values of secrets are looked for: as they are, as JSON and HTML writers escape them,
 * URL-encoded, in hexadecimal, and in base64, alone or as a part of something longer; and each of their lines, as a log
 * puts its time before them. Values that are too short to be told from other text have none.
 */
export function formsOf(values: readonly string[]): Forms {
  const words = new Set<string>()
  const base64 = new Set<string>()
  const hexadecimal = new Set<string>()
  const add = (forms: Iterable<string>): void => {
    for (const form of forms) if (form.length >= SHORT_LENGTH) words.add(form)
  }
  // What a terminal does not show is removed from a text before it is searched.
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

/** JavaScript escapes the least, Go `<>&` too, PHP the slash, Python all that is not ASCII. */
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

/** Writers of HTML differ in how they write quotes. */
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

/** Encoders differ in the marks that they leave as they are, and in the case of their digits. */
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
    // A form's.
    encode(/[^A-Za-z0-9_.*-]/gu),
    // What a path, a query and the user of a URL may hold.
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
  return [whole, whole.replaceAll('=', ''), ...parts].flatMap((form) => [
    form,
    form.replaceAll('+', '-').replaceAll('/', '_'),
  ])
}
