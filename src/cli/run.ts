import { bindOption, type Call, clientOf, flag, textOption, timeoutOption } from './call.ts'
import { readCommandOptions, tellResult } from './run-command.ts'

export async function run(call: Call): Promise<number> {
  const options = {
    ...readCommandOptions(call),
    servers: [call.options.server ?? []].flat().map(String),
    session: call.session,
    bind: bindOption(call),
    keep: flag(call, 'keep'),
    timeoutMs: timeoutOption(call),
    bundle: textOption(call, 'bundle'),
  }
  return tellResult(await clientOf(call).run(call.file, call.command, options), call)
}
