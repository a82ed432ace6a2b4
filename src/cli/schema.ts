import { writeJson } from './answer.ts'
import { type Call, clientOf } from './call.ts'

export async function run(call: Call): Promise<number> {
  writeJson(call, await clientOf(call).schema())
  return 0
}
