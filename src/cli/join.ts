import { holdForProcess } from '../sessions/hold.ts'
import { answerHeld } from './answer.ts'
import { type Call, clientOf, numberOption, withSession } from './call.ts'
import { readCommandOptions, tellResult } from './run-command.ts'

export async function run(call: Call): Promise<number> {
  if (call.command.length > 0) {
    const options = readCommandOptions(call)
    const fleet = await clientOf(call).join(call.session, { file: call.file, signal: call.signal })
    try {
      return tellResult(await fleet.run(call.command, options), call)
    } finally {
      await fleet.leave()
    }
  }
  const pid = numberOption(call, 'pid') ?? call.host.parentProcessId
  return withSession(call, async (record, tools) => {
    const held = await holdForProcess(record, pid, tools)
    const until = `held for process ${pid} until that ends, or \`testfleet release\``
    const after = record.lifetime.kind === 'held' ? '' : '; it stays after that, until it is taken down'
    return answerHeld(call, record.name, pid, held, until + after)
  })
}
