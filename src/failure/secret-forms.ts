import { START_LENGTH } from './find-forms.ts'

/** Shorter than this, a value is a part of ordinary words. */
export const SHORT_LENGTH = START_LENGTH

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
