import { type Call, clientOf, timeoutOption } from './call.ts'
import { readCommandOptions, tellResult } from './run-command.ts'

/** The lease ends with the command, or with this process. */
export async function run(call: Call): Promise<number> {
  const options = readCommandOptions(call)
  const timeoutMs = timeoutOption(call)
  const fleet = await clientOf(call).join(call.session, { file: call.file, signal: call.signal })
  try {
    await using lease = await fleet.lease(call.servers[0] ?? '', { timeoutMs, signal: call.signal })
    return await tellResult(await fleet.run(call.command, { ...options, environment: lease.environment }), call)
  } finally {
    await fleet.leave()
  }
}
