import { observeExisting, reportSession } from '../session/report.ts'
import type { Call } from './call.ts'
import { findSessionName } from './find-session.ts'
import { formatEndpoints, formatTable } from './format-report.ts'
import { withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  const session = await findSessionName(call)
  const report = await withTools(call, async ({ engine, signal }) =>
    reportSession(await observeExisting(engine, session, signal), engine, new Set(), signal),
  )
  if (call.json) writeJson(call, report)
  else {
    const rows = Object.entries(report.servers).map(([name, server]) => {
      const endpoints = formatEndpoints(server.endpoints)
      return [name, server.state, server.ip, server.container.slice(0, 12), server.image, endpoints.join(' ')]
    })
    call.output.write(formatTable([['SERVER', 'STATE', 'IP', 'CONTAINER', 'IMAGE', 'ENDPOINTS'], ...rows]))
  }
  return 0
}
