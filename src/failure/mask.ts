import { isFailure } from '../model/failures.ts'
import { createFinder, formsOf, type Place, SHORT_LENGTH } from './secret-forms.ts'

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
