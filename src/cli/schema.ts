import { fleetJsonSchema } from '../config/json-schema.ts'
import { writeJson } from './answer.ts'
import type { Call } from './call.ts'

export async function run(call: Call): Promise<number> {
  writeJson(call, fleetJsonSchema())
  return 0
}
