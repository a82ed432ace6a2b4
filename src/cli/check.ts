import { auditFleet, loadSarif } from '../audit/audit.ts'
import { isFailure, type TestfleetError } from '../model/failures.ts'
import { type Severity, severities } from '../model/finding.ts'
import { VERSION } from '../version.ts'
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
    // With --json, every command writes its failure as JSON.
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
    const { toSarif } = await loadSarif()
    writeJson(toSarif(audit, VERSION), call)
  }
  if (failOn === undefined) return 0
  const stands = audit.findings.some(({ severity }) => severities.indexOf(severity) >= severities.indexOf(failOn))
  return stands ? 1 : 0
}

/** Writes the failure in the form that was asked for. */
async function tellFailure(failure: TestfleetError, format: Format, call: Call): Promise<void> {
  if (format === 'json') writeJson(toJsonFailure(failure), call)
  if (format !== 'sarif') return
  const { toSarifFailure } = await loadSarif()
  writeJson(toSarifFailure(failure, VERSION), call)
}

function writeJson(value: object, call: Call): void {
  call.output.write(`${JSON.stringify(value, null, 2)}\n`)
}
