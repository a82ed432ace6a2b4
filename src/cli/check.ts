import { type Audit, auditFleet, type Finding, loadSarif } from '../audit/audit.ts'
import { stripControls } from '../formats/strip-controls.ts'
import { formatPosition, isFailure, type TestfleetError } from '../model/failures.ts'
import { type Severity, severities } from '../model/finding.ts'
import type { Fleet } from '../model/fleet.ts'
import { VERSION } from '../version.ts'
import { writeJson } from './answer.ts'
import { type Call, choice, loadCallFleet } from './call.ts'
import { toJsonFailure } from './format-failure.ts'
import type { Palette } from './palette.ts'

const formats = ['text', 'json', 'sarif'] as const
type Format = (typeof formats)[number]

export async function run(call: Call): Promise<number> {
  const format = choice(call, 'format', formats) ?? (call.json ? 'json' : 'text')
  const failOn = choice(call, 'fail-on', severities)
  try {
    return await check(call, format, failOn)
  } catch (error) {
    // With --json, every command writes its failure as JSON.
    if (isFailure(error) && !call.json) await tellFailure(error, format, call)
    throw error
  }
}

async function check(call: Call, format: Format, failOn: Severity | undefined): Promise<number> {
  const fleet = await loadCallFleet(call)
  const audit = await auditFleet(fleet, call.host)
  if (format === 'text') call.output.write(formatAudit(audit, fleet, call.output.palette))
  else if (format === 'json') writeJson(call, toJsonAudit(audit))
  else writeJson(call, (await loadSarif()).toSarif(audit, VERSION))
  if (failOn === undefined) return 0
  const stands = audit.findings.some(({ severity }) => severities.indexOf(severity) >= severities.indexOf(failOn))
  return stands ? 1 : 0
}

/** Writes the failure in the form that was asked for. */
async function tellFailure(failure: TestfleetError, format: Format, call: Call): Promise<void> {
  if (format === 'json') writeJson(call, toJsonFailure(failure))
  if (format === 'sarif') writeJson(call, (await loadSarif()).toSarifFailure(failure, VERSION))
}

const color: Readonly<Record<Severity, Parameters<Palette['style']>[0]>> = {
  critical: ['red', 'bold'],
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
}

/** Each finding, and how many there are. Why it matters and what to do stands below the first of its kind. */
function formatAudit({ findings, ignored }: Audit, fleet: Fleet, palette: Palette): string {
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
function toJsonAudit({ findings, ignored }: Audit): object {
  return {
    findings: findings.map(toJsonFinding),
    ignored: ignored.map((finding) => ({ ...toJsonFinding(finding), reason: finding.reason })),
  }
}

function toJsonFinding({ id, severity, server, file, line, column, message, why, hint, cwe }: Finding): object {
  return { id, severity, server, file, line, column, message, why, hint, cwe }
}
