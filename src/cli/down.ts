import { down } from '../down.ts'
import { findSession } from '../sessions/resolve.ts'
import { answer, formatRemoved } from './answer.ts'
import type { Call } from './call.ts'
import { chooseCallSession, withTools } from './call-tools.ts'

export async function run(call: Call): Promise<number> {
  const choice = await chooseCallSession(call)
  const removed = await withTools(call, async (tools, sessions) => {
    const session = findSession(choice, sessions)
    if (session !== undefined) return down(session, tools)
    const name = choice.kind === 'named' ? choice.name : `of ${choice.file}`
    return { session: name, servers: [], networks: 0, volumes: 0 }
  })
  return answer(call, removed, formatRemoved(removed))
}
