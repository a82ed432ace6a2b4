import { environmentFormats, formatEnvironment } from '../endpoints/format-environment.ts'
import { readEnvironment } from '../report/environment.ts'
import { observeServers } from '../report/observe.ts'
import { reportSession } from '../report/report.ts'
import { type Call, choice } from './call.ts'
import { formatReport } from './format-report.ts'
import { withSession, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const format = choice(call, 'format', environmentFormats)
  return withSession(call, async (session, tools) => {
    const observed = await observeServers(session, tools.runtime, tools)
    const report = await reportSession(session, observed, new Set(), tools)
    if (format !== undefined) {
      call.output.write(formatEnvironment(await readEnvironment(session, report, tools), format))
    } else if (call.json) writeJson(call, report)
    else call.output.write(formatReport(report))
    return 0
  })
}
