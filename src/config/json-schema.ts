import * as z from 'zod'
import { fleetFileSchema } from '../model/fleet-file.ts'

/** The fleet file's JSON Schema (draft 2020-12), for editors. */
export function fleetJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(fleetFileSchema, { io: 'input', unrepresentable: 'any' }) as Schema
  allowExtensions(schema)
  allowExtensions((schema.properties?.servers as Schema | undefined)?.additionalProperties)
  return { ...schema, title: 'testfleet fleet file' }
}

interface Schema extends Record<string, unknown> {
  properties?: Record<string, unknown>
  additionalProperties?: unknown
  patternProperties?: object
}

/** Keys that start with `x-` belong to the user. */
function allowExtensions(schema: unknown): void {
  ;(schema as Schema).patternProperties = { '^x-': {} }
}
