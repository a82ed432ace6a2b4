import type { CheckResult, Finding } from '../api/types/check.ts'
import { stripControls } from '../formats/strip-controls.ts'
import { formatPosition, isFailure } from '../model/failures.ts'
import { type Severity, severities } from '../model/finding.ts'
import { writeJson } from './answer.ts'
import { type Call, choice, clientOf } from './call.ts'
import { toJsonFailure } from './format-failure.ts'
import type { Palette } from './palette.ts'

const formats = ['text', 'json', 'sarif'] as const

export async function run(call: Call): Promise<number> {
  const format = choice(call, 'format', formats) ?? (call.json ? 'json' : 'text')
  const failOn = choice(call, 'fail-on', severities)
  if (format === 'sarif') return checkSarif(call, failOn)
  try {
    const result = await clientOf(call).check(call.file)
    if (format === 'text') call.output.write(formatAudit(result, call.output.palette))
    else writeJson(call, { findings: result.findings, ignored: result.ignored })
    return exitCodeOf(result.findings, failOn)
  } catch (error) {
    // With --json, every command writes its failure as JSON.
    if (isFailure(error) && format === 'json' && !call.json) writeJson(call, toJsonFailure(error))
    throw error
  }
}

async function checkSarif(call: Call, failOn: Severity | undefined): Promise<number> {
  const { log, findings, error } = await clientOf(call).sarif(call.file)
  if (error === undefined || !call.json) writeJson(call, log)
  if (error !== undefined) throw error
  return exitCodeOf(findings, failOn)
}

function exitCodeOf(findings: readonly Finding[], failOn: Severity | undefined): number {
  if (failOn === undefined) return 0
  return findings.some(({ severity }) => severities.indexOf(severity) >= severities.indexOf(failOn)) ? 1 : 0
}

const color: Readonly<Record<Severity, Parameters<Palette['style']>[0]>> = {
  critical: ['red', 'bold'],
  high: 'red',
  medium: 'yellow',
  low: 'cyan',
}

/** Lists the findings and their number. The first one of each kind explains why it matters and what to do. */
function formatAudit({ file, servers, findings, ignored }: CheckResult, palette: Palette): string {
  const count = servers.length
  const valid = `${file} is valid: ${count} ${count === 1 ? 'server' : 'servers'}`
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
