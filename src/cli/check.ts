import { auditFleet } from '../audit/audit.ts'
import { isFailure, type TestfleetError } from '../model/failures.ts'
import { type Severity, severities } from '../model/finding.ts'
import { type Call, choice } from './call.ts'
import { formatAudit, toJsonAudit } from './format-audit.ts'
import { toJsonFailure } from './format-failure.ts'
import { loadCallFleet } from './load-call-fleet.ts'

const formats = ['text', 'json', 'sarif'] as const
type Format = (typeof formats)[number]

export async function run(call: Call): Promise<number> {
  const format = choice(call, 'format', formats) ?? (call.json ? 'json' : 'text')
  const failOn = choice(call, 'fail-on', severities)
  try {
    return await check(call, format, failOn)
  } catch (error) {
    // With --json, every call tells its failure so.
    if (isFailure(error) && !call.json) await tellFailure(error, format, call)
    throw error
  }
}

async function check(call: Call, format: Format, failOn: Severity | undefined): Promise<number> {
  const fleet = await loadCallFleet(call)
  const audit = await auditFleet(fleet)
  if (format === 'text') call.output.write(formatAudit(audit, fleet, call.output.palette))
  else if (format === 'json') writeJson(toJsonAudit(audit), call)
  else {
    const { toSarif } = await import('./format-sarif.ts')
    writeJson(toSarif(audit), call)
  }
  if (failOn === undefined) return 0
  const stands = audit.findings.some(({ severity }) => severities.indexOf(severity) >= severities.indexOf(failOn))
  return stands ? 1 : 0
}

/** In the form that was asked for: whoever reads it expects no other. */
async function tellFailure(failure: TestfleetError, format: Format, call: Call): Promise<void> {
  if (format === 'json') writeJson(toJsonFailure(failure), call)
  if (format !== 'sarif') return
  const { toSarifFailure } = await import('./format-sarif.ts')
  writeJson(toSarifFailure(failure), call)
}

function writeJson(value: object, call: Call): void {
  call.output.write(`${JSON.stringify(value, null, 2)}\n`)
}
