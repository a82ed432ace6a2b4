/** JSON Schema with the keywords that the fleet file's schema uses. */
export interface JsonSchema {
  readonly [keyword: string]: unknown
  readonly description?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | false
}

/** Schemas that are referenced by name instead of rendered in full. */
export type NamedTypes = ReadonlyMap<JsonSchema, string>

/** Keywords that a TypeScript type cannot express. */
const beyondTypes = new Set([
  ...['$schema', '$id', 'title', 'description', 'default', 'examples', 'format', 'pattern', 'propertyNames'],
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  ...['minLength', 'maxLength', 'minItems', 'maxItems', 'minProperties', 'patternProperties'],
])
const understood = new Set([
  ...['type', 'const', 'enum', 'anyOf', 'items', 'properties', 'required', 'additionalProperties'],
  ...beyondTypes,
])

/** Renders an object's schema as an exported interface, with its descriptions as doc comments. */
export function renderInterface(name: string, schema: JsonSchema, named: NamedTypes): string {
  return `${renderComment(schema, '')}export interface ${name} ${renderObject(schema, named, '')}\n`
}

/** Renders a schema as a read-only TypeScript type. Fails for an unknown keyword instead of ignoring it. */
export function renderType(schema: JsonSchema, named: NamedTypes, indent: string): string {
  const unknown = Object.keys(schema).find((keyword) => !understood.has(keyword))
  if (unknown !== undefined) throw new Error(`the JSON Schema keyword "${unknown}" has no TypeScript equivalent`)
  const name = named.get(schema)
  if (name !== undefined) return name
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  if (schema.anyOf !== undefined) return unite(schema.anyOf.map((one) => renderType(one, named, indent)))
  return unite([schema.type ?? []].flat().map((type) => renderPlainType(type, schema, named, indent)))
}

function renderPlainType(type: string, schema: JsonSchema, named: NamedTypes, indent: string): string {
  switch (type) {
    case 'string':
    case 'boolean':
    case 'null':
      return type
    case 'number':
    case 'integer':
      return 'number'
    case 'array':
      return renderArray(schema, named, indent)
    case 'object':
      return schema.properties === undefined ? renderRecord(schema, named, indent) : renderObject(schema, named, indent)
    default:
      throw new Error(`the JSON Schema type "${type}" has no TypeScript equivalent`)
  }
}

function renderArray(schema: JsonSchema, named: NamedTypes, indent: string): string {
  if (schema.items === undefined) throw new Error('an array needs `items`')
  const item = renderType(schema.items, named, indent)
  return /^\w+$/.test(item) ? `readonly ${item}[]` : `ReadonlyArray<${item}>`
}

function renderRecord(schema: JsonSchema, named: NamedTypes, indent: string): string {
  if (!schema.additionalProperties) throw new Error('an object needs `properties` or `additionalProperties`')
  return `Readonly<Record<string, ${renderType(schema.additionalProperties, named, indent)}>>`
}

function renderObject(schema: JsonSchema, named: NamedTypes, indent: string): string {
  if (schema.additionalProperties) throw new Error('an object with `properties` cannot have additional ones')
  const deeper = `${indent}  `
  const fields = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const type = renderType(value, named, deeper)
    // With `| undefined`, a caller with exactOptionalPropertyTypes can pass a value that may be undefined.
    const field = schema.required?.includes(key) ? `: ${type}` : `?: ${type} | undefined`
    return `${renderComment(value, deeper)}${deeper}readonly ${quoteKey(key)}${field}`
  })
  return `{\n${fields.join('\n')}\n${indent}}`
}

function renderComment(schema: JsonSchema, indent: string): string {
  if (schema.description === undefined) return ''
  return `${indent}/** ${schema.description.replaceAll('*/', '*\\/')} */\n`
}

function quoteKey(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key)
}

function unite(types: readonly string[]): string {
  if (types.length === 0) throw new Error('a schema needs a type')
  return [...new Set(types)].join(' | ')
}
