import { removeServers } from '../down.ts'
import { answer, formatRemoved } from './answer.ts'
import { type Call, flag, withSession } from './call.ts'

export async function run(call: Call): Promise<number> {
  const removed = await withSession(call, (session, tools) =>
    removeServers(session, call.servers, { isForced: flag(call, 'force') }, tools),
  )
  return answer(call, removed, formatRemoved(removed))
}
