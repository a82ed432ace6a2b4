import { VERSION } from '../version.ts'
import type { Call } from './call.ts'

export async function run(call: Call): Promise<number> {
  call.output.write(call.json ? `${JSON.stringify({ version: VERSION })}\n` : `testfleet ${VERSION}\n`)
  return 0
}
