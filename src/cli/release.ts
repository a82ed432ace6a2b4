import { releaseProcess } from '../sessions/hold.ts'
import { type Call, numberOption } from './call.ts'
import { withSession, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const pid = numberOption(call, 'pid') ?? call.host.parentProcessId
  return withSession(call, async (record, tools) => {
    const { name: session } = record
    const held = await releaseProcess(record, pid, tools)
    if (call.json) writeJson(call, { session, process: pid, held: held ?? null })
    else if (held === undefined)
      call.output.write(`session ${session}: stays until it is taken down, nobody has to hold it\n`)
    else if (held === 0) call.output.write(`session ${session}: nobody holds it any more; it goes\n`)
    else call.output.write(`session ${session}: held by ${held === 1 ? 'another' : `${held} others`}\n`)
    return 0
  })
}
