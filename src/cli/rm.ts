import { removeServers } from '../down.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Call } from './call.ts'
import { findSessionName } from './find-session.ts'
import { formatRemoved } from './format-removed.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  if (call.servers.length === 0) {
    throw new TestfleetError('USAGE', 'the servers to remove are missing', {
      hint: 'To remove them all, call `testfleet down`.',
    })
  }
  const session = await findSessionName(call)
  const removed = await withTools(call, (tools) => removeServers(session, call.servers, tools))
  call.output.endProgress()
  if (call.json) writeJson(call, removed)
  else call.output.write(formatRemoved(removed))
  return 0
}
