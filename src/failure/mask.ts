import { CUT, controlSource } from '../formats/strip-controls.ts'
import { isFailure } from '../model/failures.ts'
import { type Find, findParts, findRests, findWords, type Place } from './find-secrets.ts'
import { formsOf, SHORT_LENGTH } from './secret-forms.ts'

/** Replaces the values of secrets in everything that is written or printed. */
export interface Mask {
  text(text: string): string
  /** Masks all texts, keys and numbers in a JSON value, which stays valid JSON. */
  json(value: unknown): unknown
}

/** Replacement for a secret. */
const MASKED = '***'

/** Characters that terminals do not show and that may be removed later. They must not hide a secret. */
const hidden = new RegExp(controlSource, 'gu')
/** Line ends where base64 and hexadecimal are wrapped, also as JSON escapes, and the indent of the next line. */
const hiddenOrWrap = new RegExp(String.raw`(?:\\r|\\n|[\r\n])+[ \t]*|${controlSource}`, 'gu')

export function createMask(values: Iterable<string>): Mask {
  const known = [...new Set(values)].filter((value) => value !== '')
  const forms = formsOf(known)
  // A secret such as `a` must not mask the letter in every word.
  const short = known.filter((value) => value.length < SHORT_LENGTH).map(standsAlone)
  const parts = findParts(forms)
  const finds = [findWords(forms), parts, findRests(forms, CUT)]
  const findAll: Find = (text) => finds.flatMap((find) => find(text))
  const text = (text: string): string => {
    const places = [...findAll(text), ...findWithout(hidden, text, findAll), ...findWithout(hiddenOrWrap, text, parts)]
    return short.reduce((rest, pattern) => rest.replaceAll(pattern, MASKED), replacePlaces(text, places))
  }
  return { text, json: (value) => maskJson(value, text) }
}

/** Searches the text without what matches the pattern, and returns places in the original text. */
function findWithout(pattern: RegExp, text: string, find: Find): Place[] {
  const ends: number[] = []
  const shifts: number[] = []
  let [rest, shift, last] = ['', 0, 0]
  for (const { 0: found, index } of text.matchAll(pattern)) {
    rest += text.slice(last, index)
    last = index + found.length
    shift += found.length
    ends.push(rest.length)
    shifts.push(shift)
  }
  if (shift === 0) return []
  const toWhole = createShift(ends, shifts)
  // Maps the last character instead of the one after it, because text may have been removed in between.
  return find(rest + text.slice(last)).map(([start, end]) => [toWhole(start), toWhole(end - 1) + 1])
}

/** Returns how far a place moves: by everything that was removed at or before it. */
function createShift(ends: readonly number[], shifts: readonly number[]): (place: number) => number {
  return (place) => {
    let [low, high] = [0, ends.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ends[middle] as number) <= place) low = middle + 1
      else high = middle
    }
    return place + (shifts[low - 1] ?? 0)
  }
}

/** Joins places that overlap or touch: one secret may begin where another one ends. */
function replacePlaces(text: string, places: Place[]): string {
  if (places.length === 0) return text
  places.sort((a, b) => a[0] - b[0])
  let masked = ''
  let end = -1
  let last = 0
  for (const [from, to] of places) {
    if (from > end) {
      masked += `${text.slice(last, from)}${MASKED}`
    }
    end = Math.max(end, to)
    last = end
  }
  return masked + text.slice(last)
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

/** Masks everything that is printed of a failure, including its stack and its causes. */
export function maskFailure(error: unknown, mask: Mask, seen: Set<unknown> = new Set()): void {
  if (!(error instanceof Error) || seen.has(error)) return
  seen.add(error)
  // The stack first: Node builds it from the message on first access.
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
