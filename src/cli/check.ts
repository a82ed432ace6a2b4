import { auditFleet } from '../audit/audit.ts'
import { severities } from '../model/finding.ts'
import { type Call, choice } from './call.ts'
import { formatAudit, toJsonAudit } from './format-audit.ts'
import { loadCallFleet } from './load-call-fleet.ts'

export async function run(call: Call): Promise<number> {
  const format = choice(call, 'format', ['text', 'json', 'sarif']) ?? (call.json ? 'json' : 'text')
  const failOn = choice(call, 'fail-on', severities)
  const fleet = await loadCallFleet(call)
  const audit = await auditFleet(fleet)
  if (format === 'text') call.output.write(formatAudit(audit, fleet, call.output.palette))
  else if (format === 'json') call.output.write(`${JSON.stringify(toJsonAudit(audit), null, 2)}\n`)
  else {
    const { toSarif } = await import('./format-sarif.ts')
    call.output.write(`${JSON.stringify(toSarif(audit), null, 2)}\n`)
  }
  if (failOn === undefined) return 0
  const stands = audit.findings.some(({ severity }) => severities.indexOf(severity) >= severities.indexOf(failOn))
  return stands ? 1 : 0
}
