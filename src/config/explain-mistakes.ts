import * as z from 'zod'
import { fleetFileInvalid, type Mistake } from '../model/failures.ts'
import type { FieldPath } from '../model/fleet.ts'
import { fleetFileSchema } from '../model/fleet-file.ts'
import { type PresetFile, presetFileSchema } from '../model/preset-file.ts'
import { type FleetDocument, quoteText, refuseMistakes, suggest } from './document.ts'
import { findForm, nestCommand } from './right-form.ts'

type Issue = z.core.$ZodIssue

/** With more candidates, a message names only the nearest. */
const MOST_WORDS = 8
/** A file with more mistakes is no fleet file at all, so further ones do not help. */
const MOST_ISSUES = 1000
/** To find the right form of a value, several are tried. */
const MOST_FORMS = 20

/**
 * Fails with FLEET_FILE_INVALID, with these mistakes, and every mistake that the schema finds. Returns if there are none.
 */
export function explainMistakes(document: FleetDocument, mistakes: readonly Mistake[]): void {
  if (document.value === null || document.value === undefined) {
    throw fleetFileInvalid([{ at: document.locate([]), field: '', message: 'is empty; it needs at least `servers`' }])
  }
  const { error } = fleetFileSchema.safeParse(document.value, { reportInput: true })
  const ofSchema = toAllMistakes(error, document, fleetFileSchema)
  // A mistake in an option of a preset is reported once.
  refuseMistakes([...mistakes, ...ofSchema.filter(({ field }) => !mistakes.some((one) => field.startsWith(one.field)))])
}

/** Validates a preset's own file. Fails with a FLEET_FILE_INVALID failure that has every mistake. */
export function validatePreset(document: FleetDocument): PresetFile {
  const { data, error } = presetFileSchema.safeParse(document.value, { reportInput: true })
  refuseMistakes(toAllMistakes(error, document, presetFileSchema))
  return data as PresetFile
}

function toAllMistakes(error: z.ZodError | undefined, document: FleetDocument, schema: z.ZodType): Mistake[] {
  const wordForm = formWorder(document, schema)
  const nested = new Set<string>()
  return findLeaves(error).flatMap((leaf) => {
    const { issue, path } = leaf
    const [list, field] = [path.slice(0, -1), document.nameField(path.slice(0, -1))]
    // One command where a list of commands is wanted is one mistake, and not one for each of its words.
    if (hasWrongShape(issue) && nestCommand(document.value, list) !== undefined) {
      if (nested.has(field)) return []
      nested.add(field)
      const message = `must be a list of commands, each of which is a list${wordForm(list)}`
      return [{ at: document.locate(list), field, message }]
    }
    return toMistakes(leaf, hasWrongShape(issue) ? wordForm(path) : '', document, schema)
  })
}

/** An issue, and where it is. */
interface Leaf {
  readonly issue: Issue
  readonly path: FieldPath
}

function findLeaves(error: z.ZodError | undefined): Leaf[] {
  return (error?.issues.slice(0, MOST_ISSUES) ?? []).flatMap((issue) => expand(issue, []))
}

function expand(issue: Issue, parent: FieldPath): Leaf[] {
  const path = [...parent, ...(issue.path as FieldPath)]
  const branch = issue.code === 'invalid_union' ? chooseBranch(issue.errors) : undefined
  return branch?.flatMap((nested) => expand(nested, path)) ?? [{ issue, path }]
}

function hasWrongShape(issue: Issue): boolean {
  return (issue.code === 'invalid_type' && issue.input !== undefined) || issue.code === 'invalid_union'
}

/** Returns a function that words the right form of a value as the end of its message, for the first few mistakes. */
function formWorder(document: FleetDocument, schema: z.ZodType): (path: FieldPath) => string {
  const listMistakes = (value: unknown): readonly FieldPath[] =>
    findLeaves(schema.safeParse(value, { reportInput: true }).error).map(({ path }) => path)
  const isYaml = /\.ya?ml$/.test(document.locate([]).file)
  let count = 0
  return (path) => {
    const form = count++ < MOST_FORMS ? findForm(document.value, path, listMistakes, isYaml) : undefined
    return form === undefined ? '' : `; write ${form}`
  }
}

function toMistakes({ issue, path }: Leaf, form: string, document: FleetDocument, schema: z.ZodType): Mistake[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      at: document.locateKey([...path, key]),
      field: document.nameField([...path, key]),
      message: wordUnknownKey(key, path, schema),
    }))
  }
  const at = issue.code === 'invalid_key' ? document.locateKey(path) : document.locate(path)
  return [{ at, field: document.nameField(path), message: `${wordIssue(issue)}${form}` }]
}

/** Picks the shape that fits the value among the allowed ones, so that the message is about its actual mistake. */
function chooseBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  return branches.find((issues) => !issues.some((issue) => issue.path.length === 0 && issue.code === 'invalid_type'))
}

function wordUnknownKey(key: string, path: FieldPath, schema: z.ZodType): string {
  const known = knownKeys(path, schema)
  const place = schema === fleetFileSchema && !known.includes(key) ? findPlace(key, path) : undefined
  if (place !== undefined) return `unknown key; it belongs ${place}`
  return `unknown key${suggest(key, known, known.length === 0 ? '' : `; known here: ${known.join(', ')}`)}`
}

/** Returns where a key belongs that is only on the wrong level: of the file, or of a server. */
function findPlace(key: string, path: FieldPath): string | undefined {
  const [first, name] = path
  const isBelowServer = first === 'servers' && name !== undefined
  if (isBelowServer && knownKeys([], fleetFileSchema).includes(key)) return 'to the top level of the file'
  if (path.length === 2 && isBelowServer) return undefined
  const isOfServer = knownKeys(['servers', '*'], fleetFileSchema).includes(key)
  if (!isOfServer) return undefined
  if (path.length === 0) return 'to a server, below `servers`'
  return isBelowServer ? 'to the server itself' : undefined
}

const madeSchemas = new Map<z.ZodType, JsonSchema>()

/** Loaded on demand: it takes time to create, and only files with mistakes need it. */
function jsonSchema(schema: z.ZodType): JsonSchema {
  const made =
    madeSchemas.get(schema) ?? (z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema)
  madeSchemas.set(schema, made)
  return made
}

interface JsonSchema {
  properties?: Record<string, JsonSchema>
  additionalProperties?: JsonSchema | boolean
  items?: JsonSchema
  anyOf?: JsonSchema[]
}

function knownKeys(path: FieldPath, schema: z.ZodType): string[] {
  let schemas: JsonSchema[] = [jsonSchema(schema)]
  for (const key of path) {
    schemas = schemas.flatMap(alternatives).flatMap((schema) => childSchema(schema, key))
  }
  return schemas.flatMap(alternatives).flatMap((schema) => Object.keys(schema.properties ?? {}))
}

function alternatives(schema: JsonSchema): JsonSchema[] {
  return [schema, ...(schema.anyOf ?? []).flatMap(alternatives)]
}

function childSchema(schema: JsonSchema, key: string | number): JsonSchema[] {
  if (typeof key === 'number') return schema.items === undefined ? [] : [schema.items]
  const own = schema.properties?.[key]
  if (own !== undefined) return [own]
  return typeof schema.additionalProperties === 'object' ? [schema.additionalProperties] : []
}

const typeWords: Record<string, string> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a block of keys',
  record: 'a block of keys',
}

function wordIssue(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      if (issue.input === undefined) return 'is missing'
      return `must be ${typeWords[issue.expected] ?? issue.expected}, not ${describeValue(issue.input)}`
    case 'invalid_union':
      return `must be ${describeBranches(issue)}, not ${describeValue(issue.input)}`
    case 'invalid_value':
      if (issue.values.length > MOST_WORDS) return wordUnknownValue(issue.input, issue.values.map(String))
      return `must be ${issue.values.map(String).join(' or ')}, not ${describeValue(issue.input)}`
    case 'invalid_key':
      return `this name ${issue.issues[0]?.message ?? 'is not allowed'}`
    case 'too_small':
      if (!issue.message.startsWith('Too small')) return withValue(issue)
      return `must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`
    case 'too_big':
      return issue.message.startsWith('Too big') ? `must be at most ${issue.maximum}` : withValue(issue)
    case 'invalid_format':
      return withValue(issue)
    case 'custom':
      return issue.message.startsWith('must be ') ? withValue(issue) : issue.message
    default:
      return issue.message
  }
}

function wordUnknownValue(value: unknown, known: readonly string[]): string {
  return `there is no ${describeValue(value)}${typeof value === 'string' ? suggest(value, known) : ''}`
}

function describeBranches(issue: z.core.$ZodIssueInvalidUnion): string {
  const ofType = issue.errors.flat().filter((nested) => nested.code === 'invalid_type')
  return [...new Set(ofType.map(({ expected }) => typeWords[expected] ?? expected))].join(' or ')
}

function withValue(issue: Issue): string {
  const message = issue.message.replace(/^Invalid IPv[46] /, 'must be an IP ').replace(/^Invalid /, 'must be ')
  // A list or block has the right type here; only its content is wrong.
  if (typeof issue.input === 'object') return message
  return `${message}, not ${describeValue(issue.input)}`
}

/** Formats a value: short, on one line, and safe to print. */
function describeValue(value: unknown): string {
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'a block of keys'
  if (value === null) return 'nothing'
  const text = typeof value === 'string' ? quoteText(value) : (JSON.stringify(value) ?? String(value))
  return text.length > 60 ? `${text.slice(0, 57)}…"` : text
}
