import type { Audit, Finding } from '../audit/audit.ts'
import { stripControls } from '../formats/strip-controls.ts'
import { formatPosition } from '../model/failures.ts'
import { type Severity, severities } from '../model/finding.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Palette } from './palette.ts'

const color: Readonly<Record<Severity, Parameters<Palette['style']>[0]>> = {
  critical: ['red', 'bold'],
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
}

/** Each finding, and how many there are. Why it matters and what to do stands below the first of its kind. */
export function formatAudit({ findings, ignored }: Audit, fleet: Fleet, palette: Palette): string {
  const count = fleet.servers.size
  const valid = `${fleet.source.file} is valid: ${count} ${count === 1 ? 'server' : 'servers'}`
  const lines = [
    valid,
    ...findings.flatMap((finding) => formatFinding(finding, isFirstOfKind(finding, findings), palette)),
  ]
  const summary = formatCounts(findings, ignored.length)
  if (summary !== undefined) lines.push(summary)
  return `${lines.join('\n')}\n`
}

function isFirstOfKind(finding: Finding, findings: readonly Finding[]): boolean {
  return findings.find(({ id }) => id === finding.id) === finding
}

function formatFinding(finding: Finding, isExplained: boolean, palette: Palette): string[] {
  const { severity, id, server, message, why, hint } = finding
  const said = stripControls(server === undefined ? message : `${server}: ${message}`)
  const line = `${formatPosition(finding)}  ${palette.style(color[severity], severity)}  ${id}  ${said}`
  if (!isExplained) return [line]
  return [line, `    ${palette.style('dim', `why:  ${why}`)}`, `    ${palette.style('cyan', 'hint:')} ${hint}`]
}

/** `3 findings: 1 high, 2 low; 1 ignored` */
function formatCounts(findings: readonly Finding[], ignored: number): string | undefined {
  if (findings.length + ignored === 0) return undefined
  const counts = severities.toReversed().flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity).length
    return count === 0 ? [] : [`${count} ${severity}`]
  })
  const found = findings.length === 1 ? '1 finding' : `${findings.length} findings`
  return `${found}${counts.length === 0 ? '' : `: ${counts.join(', ')}`}${ignored === 0 ? '' : `; ${ignored} ignored`}`
}

/** As it goes to stdout with --json: each finding with its keys in one order. */
export function toJsonAudit({ findings, ignored }: Audit): object {
  return {
    findings: findings.map(toJsonFinding),
    ignored: ignored.map((finding) => ({ ...toJsonFinding(finding), reason: finding.reason })),
  }
}

function toJsonFinding({ id, severity, server, file, line, column, message, why, hint, cwe }: Finding): object {
  return { id, severity, server, file, line, column, message, why, hint, cwe }
}
