import type * as z from 'zod'
import * as grammar from '../../src/formats/grammar.ts'
import * as pathRules from '../../src/formats/paths.ts'
import * as fleetFileRules from '../../src/model/fleet-file-rules.ts'

/**
 * Generates a predicate that accepts exactly what a schema accepts. Loading zod and creating the schema takes longer
 * than the rest of a call; the schema itself is needed only to explain mistakes.
 */

type Def = z.core.$ZodTypeDef & Record<string, unknown>
type Schema = z.core.$ZodType

const modules = { rules: fleetFileRules, grammar, pathRules }

/** Names of the predicates that schemas use, as the generated program calls them. */
const predicateNames = new Map<unknown, string>(
  Object.entries(modules).flatMap(([module, members]) =>
    Object.entries(members).map(([name, member]) => [member, `${module}.${name}`] as const),
  ),
)

/** @param paths Specifiers by which the program imports the predicates of the model. */
export function renderValidator(
  schema: Schema,
  name: string,
  paths: Readonly<Record<keyof typeof modules, string>>,
): string {
  const lines: string[] = []
  const constants = new Map<string, string>()
  /** Defines a constant for each distinct text, so that a schema that occurs twice is one function. */
  const define = (text: string): string => {
    const known = constants.get(text)
    if (known !== undefined) return known
    const made = `c${constants.size}`
    constants.set(text, made)
    lines.push(`const ${made} = ${text}`)
    return made
  }
  const accepts = renderType(schema, define)
  return [
    ...Object.entries(paths).map(([module, path]) => `import * as ${module} from ${JSON.stringify(path)}`),
    runtime,
    ...lines,
    `export const ${name} = ${accepts}`,
    '',
  ].join('\n')
}

/**
 * Shared functions of generated programs. As in zod, an instance of a class is not a record, and a list has no keys.
 */
const runtime = `
const isObject = (v) => typeof v === 'object' && v !== null && !Array.isArray(v)
const isRecord = (v) => {
  if (!isObject(v)) return false
  const prototype = Object.getPrototypeOf(v)
  return prototype === null || prototype === Object.prototype
}
const hasFields = (v, fields, required) => {
  if (!isObject(v)) return false
  for (const key in v) {
    const accepts = fields.get(key)
    if (accepts === undefined || !accepts(v[key])) return false
  }
  return required.every((key) => key in v)
}
const hasEntries = (v, acceptsKey, accepts) => {
  if (!isRecord(v)) return false
  for (const key of Object.keys(v)) if (!acceptsKey(key) || !accepts(v[key])) return false
  return true
}
`

type Define = (text: string) => string

/** Returns the name of the constant with the predicate of `schema`. */
function renderType(schema: Schema, define: Define): string {
  const def = schema._zod.def as Def
  const of = (inner: unknown): string => renderType(inner as Schema, define)
  const checks = [...(def.checks ?? []).map((check) => renderCheck(check._zod.def as CheckDef, define))]
  // The schema of a format is also its first check.
  if (def.check !== undefined) checks.unshift(renderCheck(def as unknown as CheckDef, define))
  return define(`(v) => ${[renderBase(def, of, define), ...checks].join(' && ')}`)
}

function renderBase(def: Def, of: (inner: unknown) => string, define: Define): string {
  switch (def.type) {
    case 'string':
    case 'boolean':
      return `typeof v === '${def.type}'`
    case 'number':
      return 'Number.isFinite(v)'
    case 'unknown':
      return 'true'
    case 'literal':
      return `${JSON.stringify(def.values)}.includes(v)`
    case 'enum':
      return `${define(`new Set(${JSON.stringify(Object.values(def.entries as object))})`)}.has(v)`
    case 'optional':
      return `(v === undefined || ${of(def.innerType)}(v))`
    case 'union':
      return `(${(def.options as unknown[]).map((option) => `${of(option)}(v)`).join(' || ')})`
    case 'array':
      return `Array.isArray(v) && v.every(${of(def.element)})`
    case 'record':
      return `hasEntries(v, ${of(def.keyType)}, ${of(def.valueType)})`
    case 'object':
      return renderObject(def, of, define)
    default:
      throw new Error(`the validator has no code for the type ${def.type}`)
  }
}

function renderObject({ shape, catchall }: Def, of: (inner: unknown) => string, define: Define): string {
  if ((catchall as Schema | undefined)?._zod.def.type !== 'never')
    throw new Error('an object of the schema is not strict')
  const fields = Object.entries(shape as Record<string, Schema>)
  const entries = fields.map(([key, field]) => `[${JSON.stringify(key)}, ${of(field)}]`)
  const required = fields.filter(([, field]) => field._zod.optin === undefined).map(([key]) => key)
  return `hasFields(v, ${define(`new Map([${entries.join(', ')}])`)}, ${define(JSON.stringify(required))})`
}

interface CheckDef {
  readonly check: string
  readonly format?: string
  readonly pattern?: RegExp
  readonly value?: number
  readonly inclusive?: boolean
  readonly minimum?: number
  readonly maximum?: number
  readonly fn?: unknown
}

function renderCheck(def: CheckDef, define: Define): string {
  switch (def.check) {
    case 'string_format':
      // zod does not use the pattern of this format.
      if (def.format === 'ipv6') return `${renderPredicate(fleetFileRules.isIpv6, define)}(v)`
      if (def.pattern === undefined) throw new Error(`the format ${def.format} has no pattern`)
      return `${define(String(def.pattern))}.test(v)`
    case 'number_format':
      if (def.format !== 'safeint') throw new Error(`the validator has no code for the format ${def.format}`)
      return 'Number.isSafeInteger(v)'
    case 'greater_than':
      return `v ${def.inclusive ? '>=' : '>'} ${def.value}`
    case 'less_than':
      return `v ${def.inclusive ? '<=' : '<'} ${def.value}`
    case 'min_length':
      return `v.length >= ${def.minimum}`
    case 'max_length':
      return `v.length <= ${def.maximum}`
    case 'custom':
      return `${renderPredicate(def.fn, define)}(v)`
    default:
      throw new Error(`the validator has no code for the check ${def.check}`)
  }
}

function renderPredicate(predicate: unknown, define: Define): string {
  const { source } = predicate as Partial<fleetFileRules.FieldRule>
  const text = source === undefined ? predicateNames.get(predicate) : `rules.${source}`
  if (text === undefined) throw new Error(`a refinement of the schema has no name in the model: ${predicate}`)
  return define(text)
}
