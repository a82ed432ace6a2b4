import {
  type Document,
  isMap,
  isNode,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  parseDocument,
  visit,
  type YAMLError,
} from 'yaml'
import { readBytesInside, UnfitFile } from '../files/inside.ts'
import { wordFileError } from '../formats/word-error.ts'
import { type Mistake, TestfleetError } from '../model/failures.ts'
import type { FieldPath, Position } from '../model/fleet.ts'
import { type FleetDocument, formatFieldPath, refuseMistakes, type TextSpan, wholeFileError } from './document.ts'
import { keepKeys, keepText } from './keep-text.ts'
import { isBadMerge, nodeOf, pairsOf, unfoldsTooMuch } from './merge-keys.ts'

/** People write fleets. A larger file is a mistake, or an attempt to fill the memory. */
const MAX_FILE_BYTES = 1024 * 1024

/** More aliases in one file are an attempt to fill the memory. */
const MAX_ALIASES = 100

/** Tokens: the parsed form takes a thousand times the memory of the text, and time. */
const MAX_LEXEMES = 40_000

const TOO_MUCH = 'has aliases that unfold to too much'

/** Deeper than anything in a fleet file. The parser recurses, and slows down with depth. */
const MAX_DEPTH = 100

/**
 * Returns the text of a file, without a byte order mark. `root` is the folder that it must be in with its links followed.
 * Fails with FLEET_FILE_INVALID.
 */
export async function readText(path: string, file: string, root?: string): Promise<string> {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readBytesInside(path, root, MAX_FILE_BYTES))
  } catch (error) {
    if (error instanceof UnfitFile && error.kind === 'too large')
      throw wholeFileError(file, `has ${error.sizeBytes} bytes; a fleet file has at most ${MAX_FILE_BYTES}`)
    if (error instanceof UnfitFile) throw wholeFileError(file, error.message)
    if (error instanceof TestfleetError) throw error
    if (error instanceof TypeError) throw wholeFileError(file, 'is not text in UTF-8')
    throw wholeFileError(file, `cannot be read: ${wordFileError(error)}`)
  }
}

/**
 * Parses YAML or JSON into plain values with positions. JSON is a subset of YAML.
 * Fails with FLEET_FILE_INVALID, with every syntax error.
 */
export function parseYaml(text: string, file: string): FleetDocument {
  const lines = new LineCounter()
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(line, 1), column: Math.max(col, 1) }
  }
  assertModest(text, file)
  const document = parseNested(text, lines, file)
  const ofSyntax = [...document.errors, ...document.warnings].map((error) => {
    const message = wordSyntaxError(error)
    return [`${error.pos[0]} ${message}`, { at: at(error.pos[0]), field: '', message }] as const
  })
  keepKeys(document)
  // A thousand brackets that are never closed are all reported missing at the end of the file.
  refuseMistakes([...new Map(ofSyntax).values(), ...findBadKeys(document, at)])
  assertFewAliases(document, file)
  if (unfoldsTooMuch(document)) throw wholeFileError(file, TOO_MUCH)
  keepText(document)
  return {
    value: toPlainValue(document, file),
    locate(path) {
      const { key, value } = walk(document, path)
      return at((value ?? key)?.range?.[0] ?? 0)
    },
    locateKey(path) {
      const { key, value } = walk(document, path)
      return at((key ?? value)?.range?.[0] ?? 0)
    },
    locateText: (path) => textOf(document, path),
    nameField: formatFieldPath,
    originOf: () => 'file',
  }
}

/** Fails with FLEET_FILE_INVALID for text that would take the parser long. Yields, as a large text takes time to check. */
function assertModest(text: string, file: string): void {
  // A character produces at most two tokens.
  if (text.length < MAX_LEXEMES / 2 && text.split(/[[{]/).length <= MAX_DEPTH) return
  let count = 0
  let depth = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > MAX_LEXEMES) throw wholeFileError(file, 'is too large: it has too many values')
    if (lexeme === '[' || lexeme === '{') depth++
    else if (lexeme === ']' || lexeme === '}') depth--
    if (depth > MAX_DEPTH) throw wholeFileError(file, 'is nested too deeply')
  }
}

function parseNested(text: string, lineCounter: LineCounter, file: string): Document.Parsed {
  try {
    const document = parseDocument(text, {
      lineCounter,
      prettyErrors: false,
      logLevel: 'error',
      stringKeys: false,
      merge: true,
      uniqueKeys: false,
    })
    // The parser recurses: deeply nested text exhausts its stack, which it may report as a syntax error.
    if (!document.errors.some(({ message }) => message.includes('Maximum call stack size'))) return document
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
  }
  throw wholeFileError(file, 'is nested too deeply')
}

/** The parser counts how often each anchor is used, and searches all of them for each use. */
function assertFewAliases(document: Document, file: string): void {
  let count = 0
  visit(document, { Alias: () => void count++ })
  if (count > MAX_ALIASES) throw wholeFileError(file, TOO_MUCH)
}

function toPlainValue(document: Document, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES })
  } catch (error) {
    if (error instanceof ReferenceError) throw wholeFileError(file, TOO_MUCH)
    if (error instanceof RangeError) throw wholeFileError(file, 'is nested too deeply')
    throw error
  }
}

function wordSyntaxError(error: YAMLError): string {
  if (error.code === 'MULTIPLE_DOCS') return 'a fleet file is one document; a second one starts here'
  if (error.code === 'TAB_AS_INDENT') return 'indent with spaces, not with tabs'
  return `not valid YAML: ${error.message.split('\n')[0]}`
}

/** Keys that JavaScript or YAML give a special meaning, and keys that are duplicated in a block. */
function findBadKeys(document: Document, at: (offset: number) => Position): Mistake[] {
  const mistakes: Mistake[] = []
  const refuse = (key: unknown, message: string): void => {
    mistakes.push({ at: at(isNode(key) ? (key.range?.[0] ?? 0) : 0), field: '', message })
  }
  visit(document, {
    Map(_, map) {
      // The parser searches for duplicates, too, comparing every key with all keys before it.
      const seen = new Set<unknown>()
      for (const { key } of map.items) {
        if (!isScalar(key)) continue
        if (seen.has(key.value)) refuse(key, 'this key is duplicated')
        seen.add(key.value)
      }
    },
    Pair(_, pair) {
      const { key } = pair
      if (isBadMerge(document, pair)) refuse(key, '`<<` takes a block, an alias of one, or a list of these')
      if (!isScalar(key)) refuse(key, 'a key must be plain text')
      else if (key.value === '__proto__') refuse(key, '`__proto__` cannot be a key')
    },
  })
  return mistakes
}

interface Child {
  /** Undefined for an item of a list. */
  readonly key: Node | undefined
  readonly value: Node | undefined
}

/** Returns the node at a path, or the last existing node on the way. */
function walk(document: Document, path: FieldPath): Child {
  let child: Child = { key: undefined, value: nodeOf(document, document.contents) }
  for (const step of path) {
    const next = findChild(document, child.value, step)
    if (next === undefined) break
    child = next
  }
  return child
}

function findChild(document: Document, parent: Node | undefined, step: string | number): Child | undefined {
  if (isSeq(parent)) {
    const item = typeof step === 'number' ? parent.items[step] : undefined
    return item === undefined ? undefined : { key: undefined, value: nodeOf(document, item) }
  }
  if (!isMap(parent)) return undefined
  const pair = pairsOf(document, parent).get(String(step))
  return pair && { key: isNode(pair.key) ? pair.key : undefined, value: nodeOf(document, pair.value) }
}

const quotes: Readonly<Record<string, TextSpan['quote']>> = { PLAIN: '', QUOTE_SINGLE: "'", QUOTE_DOUBLE: '"' }

function textOf(document: Document, path: FieldPath): TextSpan | undefined {
  const { value } = walk(document, path)
  if (!isScalar(value) || typeof value.value !== 'string' || !value.range) return undefined
  const quote = quotes[value.type ?? '']
  return quote === undefined ? undefined : { from: value.range[0], to: value.range[1], quote }
}
