import { down } from '../down.ts'
import { findSession } from '../sessions/resolve.ts'
import { answer, formatRemoved } from './answer.ts'
import { type Call, chooseCallSession, flag, nameSession, withTools } from './call.ts'

export async function run(call: Call): Promise<number> {
  const choice = await chooseCallSession(call)
  const removed = await withTools(call, async (tools, sessions) => {
    const session = findSession(choice, sessions)
    if (session !== undefined) return down(session, { isForced: flag(call, 'force') }, tools)
    return { session: await nameSession(choice, call), servers: [], networks: 0, volumes: 0 }
  })
  return answer(call, removed, formatRemoved(removed))
}
