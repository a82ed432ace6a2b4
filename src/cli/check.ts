import type { Call } from './call.ts'
import { loadCallFleet } from './load-call-fleet.ts'
import { writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadCallFleet(call)
  const count = fleet.servers.size
  if (call.json) writeJson(call, { findings: [] })
  else call.output.write(`${fleet.source.file} is valid: ${count} ${count === 1 ? 'server' : 'servers'}\n`)
  return 0
}
