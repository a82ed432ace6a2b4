import { down } from '../down.ts'
import { findSession } from '../sessions/resolve.ts'
import type { Call } from './call.ts'
import { chooseCallSession, nameSession } from './find-session.ts'
import { formatRemoved } from './format-removed.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const choice = await chooseCallSession(call)
  const removed = await withTools(call, async (tools, sessions) => {
    const session = findSession(choice, sessions)
    if (session !== undefined) return down(session, tools)
    return { session: await nameSession(choice, call), servers: [], networks: 0, volumes: 0 }
  })
  call.output.endProgress()
  if (call.json) writeJson(call, removed)
  else call.output.write(formatRemoved(removed))
  return 0
}
