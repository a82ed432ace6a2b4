import { releaseProcess } from '../join.ts'
import { type Call, numberOption } from './call.ts'
import { findJoinedSession } from './find-session.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const session = await findJoinedSession(call)
  const pid = numberOption(call, 'pid') ?? call.host.parentProcessId
  const { held } = await withTools(call, (tools) => releaseProcess(session, pid, tools))
  if (call.json) writeJson(call, { session, process: pid, held: held ?? null })
  else if (held === undefined)
    call.output.write(`session ${session}: stays until it is taken down, nobody has to hold it\n`)
  else if (held === 0) call.output.write(`session ${session}: nobody holds it any more; it goes\n`)
  else call.output.write(`session ${session}: held by ${held === 1 ? 'another' : `${held} others`}\n`)
  return 0
}
