import { joinSession } from '../join.ts'
import { holdForProcess } from '../sessions/hold.ts'
import { type Call, numberOption } from './call.ts'
import { withSession, writeJson } from './open-tools.ts'
import { readErrand, runInSession } from './run-in-session.ts'

export async function run(call: Call): Promise<number> {
  if (call.command.length > 0) {
    const errand = await readErrand(call)
    return withSession(call, async (session, tools) =>
      runInSession(await joinSession(session, tools), errand, call, tools),
    )
  }
  const pid = numberOption(call, 'pid') ?? call.host.parentProcessId
  return withSession(call, async (record, tools) => {
    const { name: session } = record
    const held = await holdForProcess(record, pid, tools)
    if (call.json) writeJson(call, { session, process: pid, held: held ?? null })
    else if (held === undefined)
      call.output.write(`session ${session}: stays until it is taken down, nobody has to hold it\n`)
    else call.output.write(`session ${session}: held for process ${pid} until that ends, or \`testfleet release\`\n`)
    return 0
  })
}
