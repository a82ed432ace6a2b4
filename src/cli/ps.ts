import type { SessionSummary } from '../api/types/sessions.ts'
import { answer, formatEndpoints, formatState, formatTable } from './answer.ts'
import { type Call, clientOf, flag, sessionOptions } from './call.ts'

export async function run(call: Call): Promise<number> {
  if (flag(call, 'all')) return listAll(call)
  const report = await clientOf(call).ps(sessionOptions(call))
  const rows = Object.entries(report.servers).map(([name, server]) => {
    const { ip, container, image, endpoints } = server
    const where = formatEndpoints(endpoints).join(' ')
    return [name, formatState(server), ip, container.slice(0, 12), image, where]
  })
  return answer(call, report, formatTable([['SERVER', 'STATE', 'IP', 'CONTAINER', 'IMAGE', 'ENDPOINTS'], ...rows]))
}

async function listAll(call: Call): Promise<number> {
  const sessions = await clientOf(call).sessions({ signal: call.signal })
  const head = ['SESSION', 'FLEET', 'SERVERS', 'STATE', 'AGE', 'HELD BY', 'FOLDER']
  const engines = new Set(sessions.map(({ engine }) => engine))
  // Only sessions of several engines need it.
  const show = (cells: string[], engine: string): string[] => (engines.size > 1 ? [...cells, engine] : cells)
  const table = formatTable([show(head, 'ENGINE'), ...sessions.map((one) => show(formatRow(one), one.engine))])
  return answer(call, { sessions }, sessions.length === 0 ? 'there are no sessions on this engine\n' : table)
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
