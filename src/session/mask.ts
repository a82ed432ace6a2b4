import { formsOf, SHORT_LENGTH } from './secret-forms.ts'

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
const CUT = '…'
/** So much of the beginning of a secret is taken for one, in front of a cut. */
const SHORTEST_BEGINNING = 6

export function createMask(values: Iterable<string>): Mask {
  const known = [...new Set(values)].filter((value) => value !== '')
  const forms = [...new Set(known.flatMap((value) => [...formsOf(value)]))]
  // `a` as a secret must not take the letter out of every word.
  const short = known.filter((value) => value.length < SHORT_LENGTH).map(standsAlone)
  const text = (text: string): string => {
    const places = forms.flatMap((form) => findAll(text, form))
    if (text.includes(CUT)) places.push(...forms.flatMap((form) => findBeginnings(text, form)))
    return short.reduce((rest, pattern) => rest.replaceAll(pattern, MASKED), replacePlaces(text, places))
  }
  return {
    text,
    json: (value) => maskJson(value, text),
    longestLength: Math.max(0, ...forms.map(({ length }) => length)),
  }
}

type Place = readonly [start: number, end: number]

function findAll(text: string, form: string): Place[] {
  const places: Place[] = []
  for (let start = text.indexOf(form); start !== -1; start = text.indexOf(form, start + 1)) {
    places.push([start, start + form.length])
  }
  return places
}

function findBeginnings(text: string, form: string): Place[] {
  return findAll(text, CUT).flatMap(([end]) => {
    for (let length = Math.min(form.length - 1, end); length >= SHORTEST_BEGINNING; length -= 1) {
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
