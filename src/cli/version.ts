import { VERSION } from '../version.ts'
import type { Call } from './call.ts'

export async function run(call: Call): Promise<number> {
  if (call.json) call.output.writeData(`${JSON.stringify({ version: VERSION })}\n`)
  else call.output.write(`testfleet ${VERSION}\n`)
  return 0
}
