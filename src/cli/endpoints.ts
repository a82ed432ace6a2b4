import { environmentFormats, formatEnvironment } from '../endpoints/format-environment.ts'
import { describeEnvironment } from '../session/read-environment.ts'
import { observeExisting, reportSession } from '../session/report.ts'
import { type Call, choice } from './call.ts'
import { findSessionName } from './find-session.ts'
import { formatReport } from './format-report.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const format = choice(call, 'format', environmentFormats)
  const session = await findSessionName(call)
  return withTools(call, async (tools) => {
    const { engine, signal } = tools
    const observed = await observeExisting(engine, session, signal)
    const report = await reportSession(observed, engine, new Set(), signal)
    if (format !== undefined) {
      call.output.write(formatEnvironment(await describeEnvironment(report, observed, tools), format))
    } else if (call.json) writeJson(call, report)
    else call.output.write(formatReport(report))
    return 0
  })
}
