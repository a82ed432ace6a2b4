import type { FieldPath, Position } from '../model/fleet.ts'
import { quoteText } from './quote-text.ts'

/** A fleet file as read: plain values, and where each of them stands. */
export interface FleetDocument {
  readonly value: unknown
  /** Where the value at `path` stands; of one that is not there, what holds it. */
  locate(path: FieldPath): Position
  /** Where the last key of `path` stands. */
  locateKey(path: FieldPath): Position
  /** The text of the value at `path`; undefined where it is not plain text on one line, or the file is a module. */
  locateText(path: FieldPath): TextSpan | undefined
}

/** A stretch of the file's text, from one offset to another. */
export interface TextSpan {
  readonly from: number
  readonly to: number
  /** What stands around it and belongs to it: a quotation mark, or nothing. */
  readonly quote: '' | "'" | '"'
}

/** Collects mistakes, so that all are told at once. */
export type ReportMistake = (path: FieldPath, message: string) => void

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
