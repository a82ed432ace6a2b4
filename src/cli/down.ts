import { down } from '../down.ts'
import type { Call } from './call.ts'
import { findSessionName } from './find-session.ts'
import { formatRemoved } from './format-removed.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const session = await findSessionName(call)
  const removed = await withTools(call, (tools) => down(session, tools))
  call.output.endProgress()
  if (call.json) writeJson(call, removed)
  else call.output.write(formatRemoved(removed))
  return 0
}
