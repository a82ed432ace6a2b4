import { up } from '../up.ts'
import { type Call, flag } from './call.ts'
import { sessionNameOf } from './find-session.ts'
import { formatReport } from './format-report.ts'
import { bindOption, loadCallFleet } from './load-call-fleet.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const fleet = await loadCallFleet(call)
  const session = sessionNameOf(fleet, call)
  const request = {
    fleet,
    servers: call.servers,
    session,
    isNew: false,
    bind: bindOption(call),
    keepOnFailure: flag(call, 'keep'),
  }
  const report = await withTools(call, (tools) => up(request, tools))
  call.output.endProgress()
  if (call.json) writeJson(call, report)
  else call.output.write(formatReport(report))
  return 0
}
