import type { Call } from './call.ts'
import { formatHelp } from './help.ts'

export async function run(call: Call): Promise<number> {
  call.output.write(formatHelp(call.servers[0]))
  return 0
}
