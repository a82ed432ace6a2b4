import { removeServers } from '../down.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'
import { formatRemoved } from './format-removed.ts'
import { withSession, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  if (call.servers.length === 0) {
    throw new TestfleetError('USAGE', 'the servers to remove are missing', {
      hint: 'To remove them all, call `testfleet down`.',
    })
  }
  const removed = await withSession(call, (session, tools) => removeServers(session, call.servers, tools))
  call.output.endProgress()
  if (call.json) writeJson(call, removed)
  else call.output.write(formatRemoved(removed))
  return 0
}
