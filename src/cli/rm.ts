import { removeServers } from '../down.ts'
import { TestfleetError } from '../model/failures.ts'
import { answer, formatRemoved } from './answer.ts'
import { type Call, flag, withSession } from './call.ts'

export async function run(call: Call): Promise<number> {
  if (call.servers.length === 0) {
    throw new TestfleetError('USAGE', 'the servers to remove are missing', {
      hint: 'To remove them all, call `testfleet down`.',
    })
  }
  const removed = await withSession(call, (session, tools) =>
    removeServers(session, call.servers, { isForced: flag(call, 'force') }, tools),
  )
  return answer(call, removed, formatRemoved(removed))
}
