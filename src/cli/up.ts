import { up } from '../up.ts'
import { BRING_UP_TIMEOUT_MS, withinTime } from '../within-time.ts'
import { type Call, durationOption, flag } from './call.ts'
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
  const timeoutMs = durationOption(call, 'timeout', BRING_UP_TIMEOUT_MS)
  const report = await withTools(call, (tools) => withinTime(timeoutMs, tools, (limited) => up(request, limited)))
  call.output.endProgress()
  if (call.json) writeJson(call, report)
  else call.output.write(formatReport(report))
  return 0
}
