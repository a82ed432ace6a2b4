import { joinSession } from '../join.ts'
import { holdForProcess } from '../sessions/hold.ts'
import { answerHeld } from './answer.ts'
import { type Call, numberOption, withSession } from './call.ts'
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
    const held = await holdForProcess(record, pid, tools)
    const until = `held for process ${pid} until that ends, or \`testfleet release\``
    const after = record.lifetime.kind === 'held' ? '' : '; it stays after that, until it is taken down'
    return answerHeld(call, record.name, pid, held, until + after)
  })
}
