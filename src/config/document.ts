import { findNearest } from '../formats/nearest.ts'
import { escapeUnits } from '../formats/strip-controls.ts'
import { fleetFileInvalid, type Mistake, type TestfleetError } from '../model/failures.ts'
import type { FieldOrigin, FieldPath, Position } from '../model/fleet.ts'

/** A fleet file as read: plain values, and the position of each. */
export interface FleetDocument {
  readonly value: unknown
  /** Returns the position of the value at `path` or, if there is none, of its nearest parent. */
  readonly locate: (path: FieldPath) => Position
  /** Returns the position of the last key of `path`. */
  readonly locateKey: (path: FieldPath) => Position
  /** Returns the text of the value at `path`, or undefined for a module or a value that is not one line of text. */
  locateText(path: FieldPath): TextSpan | undefined
  /** Options of each server with a preset, by server. */
  readonly options?: ReadonlyMap<string, Readonly<Record<string, unknown>>>
  /** Secrets that presets of the catalogue apply at every start, by server. */
  readonly appliedSecrets?: ReadonlyMap<string, ReadonlySet<string>>
  /** The field at `path` as the file writes it, such as `servers.web.ports[0]`. */
  nameField(path: FieldPath): string
  originOf(path: FieldPath): FieldOrigin
}

/** A range of the file's text, from one offset to another. */
export interface TextSpan {
  readonly from: number
  readonly to: number
  /** Characters around the range that belong to it: a quotation mark, or nothing. */
  readonly quote: '' | "'" | '"'
}

/** Adds a mistake to a collection, so that all mistakes are reported together. */
export type ReportMistake = (path: FieldPath, message: string) => void

export function reportTo(mistakes: Mistake[], document: FleetDocument): ReportMistake {
  return (path, message) => {
    mistakes.push({ at: document.locate(path), field: document.nameField(path), message })
  }
}

/** Fails with FLEET_FILE_INVALID if there are mistakes: in the order of the file. */
export function refuseMistakes(mistakes: readonly Mistake[]): void {
  if (mistakes.length === 0) return
  const byPosition = ({ at: a }: Mistake, { at: b }: Mistake): number =>
    (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0)
  throw fleetFileInvalid([...mistakes].sort(byPosition))
}

export function wholeFileError(file: string, message: string): TestfleetError {
  return fleetFileInvalid([{ at: { file, line: 1, column: 1 }, field: '', message }])
}

/** `servers.web.ports[0]` */
export function formatFieldPath(path: FieldPath): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else if (/^[\w$-]+$/.test(key)) text += text === '' ? key : `.${key}`
    else text += `[${quoteText(key)}]`
  }
  return text
}

/** Quotes a text on one line, without characters that a terminal would obey or hide. */
export function quoteText(text: string): string {
  return JSON.stringify(text).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => escapeUnits(character))
}

/** Returns the end of a message about an unknown word: the most likely candidate, else `otherwise`. */
export function suggest(word: string, candidates: Iterable<string>, otherwise = ''): string {
  const nearest = findNearest(word, candidates)
  return nearest === undefined ? otherwise : `; did you mean \`${nearest}\`?`
}
