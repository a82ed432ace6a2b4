import * as z from 'zod'
import { fleetFileSchema } from '../model/fleet-file.ts'

/** The fleet file's JSON Schema (draft 2020-12), for editors. */
export function fleetJsonSchema(): Record<string, unknown> {
  const schema = z.toJSONSchema(fleetFileSchema, { io: 'input', unrepresentable: 'any' })
  return { ...schema, title: 'testfleet fleet file' }
}
