import { TestfleetError } from '../model/failures.ts'
import { type Call, clientOf, timeoutOption } from './call.ts'
import { readCommandOptions, tellResult } from './run-command.ts'

/** The leases end with the command, or with this process. */
export async function run(call: Call): Promise<number> {
  const { servers, signal } = call
  const options = readCommandOptions(call)
  const timeoutMs = timeoutOption(call)
  const twice = servers.find((name, index) => servers.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new TestfleetError('USAGE', `the server ${twice} is duplicated`, { hint: 'Name each server once.' })
  }
  const fleet = await clientOf(call).join(call.session, { file: call.file, signal })
  try {
    await using leases = new AsyncDisposableStack()
    const environment: Record<string, string> = {}
    const copies: string[] = []
    // In the same order everywhere, so that two calls cannot each have what the other one waits for.
    for (const name of servers.toSorted()) {
      const lease = leases.use(await fleet.lease(name, { timeoutMs, signal }))
      Object.assign(environment, lease.environment)
      copies.push(`${lease.session}/${lease.copy}`)
    }
    const variables = Object.keys(environment).join(' ')
    Object.assign(environment, { TESTFLEET_LEASES: copies.join(' '), TESTFLEET_LEASED: variables })
    return await tellResult(await fleet.run(call.command, { ...options, environment }), call)
  } finally {
    await fleet.leave()
  }
}
