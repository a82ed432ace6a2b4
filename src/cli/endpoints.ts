import { environmentFormats, formatEnvironment } from '../endpoints/format-environment.ts'
import { leaveOutTrust } from '../endpoints/trust-variables.ts'
import { readEnvironment } from '../report/environment.ts'
import { observeServers, reportSession } from '../report/report.ts'
import { answer, formatReport } from './answer.ts'
import { type Call, choice, withSession } from './call.ts'

export async function run(call: Call): Promise<number> {
  const format = choice(call, 'format', environmentFormats)
  return withSession(call, async (session, tools) => {
    const observed = await observeServers(session, tools.runtime, tools)
    const report = await reportSession(session, observed, new Set(), tools)
    if (format === undefined) return answer(call, report, formatReport(report))
    const variables = await readEnvironment(session, report, tools)
    const given = call.options.trust === false ? leaveOutTrust(variables) : variables
    call.output.writeData(formatEnvironment(given, format))
    return 0
  })
}
