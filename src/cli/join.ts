import { answerHeld } from './answer.ts'
import { type Call, clientOf, numberOption, sessionOptions } from './call.ts'
import { readCommandOptions, tellResult } from './run-command.ts'

export async function run(call: Call): Promise<number> {
  if (call.command.length > 0) {
    const options = readCommandOptions(call)
    const fleet = await clientOf(call).join(call.session, { file: call.file, signal: call.signal })
    try {
      return await tellResult(await fleet.run(call.command, options), call)
    } finally {
      await fleet.leave()
    }
  }
  const pid = numberOption(call, 'pid') ?? call.host.parentProcessId
  const held = await clientOf(call).hold(pid, sessionOptions(call))
  const until = `held for process ${pid} until that ends, or \`testfleet release\``
  return answerHeld(call, held, held.stays ? `${until}; it stays after that, until it is taken down` : until)
}
