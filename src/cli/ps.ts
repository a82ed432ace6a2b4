import { listSessions, type SessionSummary } from '../list-sessions.ts'
import { observeServers } from '../report/observe.ts'
import { reportSession } from '../report/report.ts'
import { type Call, flag } from './call.ts'
import { formatEndpoints, formatTable } from './format-report.ts'
import { withSession, withTools, writeJson } from './open-tools.ts'

export async function run(call: Call): Promise<number> {
  if (flag(call, 'all')) return listAll(call)
  const report = await withSession(call, async (session, tools) =>
    reportSession(session, await observeServers(session, tools.runtime, tools), new Set(), tools),
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

async function listAll(call: Call): Promise<number> {
  const sessions = await withTools(call, (tools, records) => listSessions(records, tools))
  if (call.json) writeJson(call, { sessions })
  else if (sessions.length === 0) call.output.write('there are no sessions on this engine\n')
  else {
    const head = ['SESSION', 'FLEET', 'SERVERS', 'STATE', 'AGE', 'HELD BY', 'FOLDER']
    call.output.write(formatTable([head, ...sessions.map(formatRow)]))
  }
  return 0
}

function formatRow({ session, fleet, servers, running, state, ageMs, heldBy, folder }: SessionSummary): string[] {
  return [session, fleet, `${running}/${servers}`, state, formatAge(ageMs), heldBy.join(', ') || '-', folder ?? '-']
}

/** The largest unit that fits: 45s, 12m, 3h, 2d. */
function formatAge(ageMs: number): string {
  const seconds = Math.max(Math.floor(ageMs / 1000), 0)
  if (seconds < 60) return `${seconds}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`
  if (seconds < 48 * 3600) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}
