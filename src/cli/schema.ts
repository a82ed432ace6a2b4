import { fleetJsonSchema } from '../config/json-schema.ts'
import type { Call } from './call.ts'
import { writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  writeJson(call, fleetJsonSchema())
  return 0
}
