import { environmentFormats, formatEnvironment } from '../endpoints/format-environment.ts'
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
    call.output.writeData(formatEnvironment(await readEnvironment(session, report, tools), format))
    return 0
  })
}
