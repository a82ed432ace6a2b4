import { auditFleet, type Finding as FoundRisk, loadSarif } from '../../audit/audit.ts'
import { findEngine } from '../../engine/open-engine.ts'
import { isFailure } from '../../model/failures.ts'
import { refuseOnLocal } from '../../servers/refuse-local.ts'
import { VERSION } from '../../version.ts'
import { hostOf, loadSource } from '../call.ts'
import type { CheckResult, Finding, SarifResult } from '../types/check.ts'
import type { Source, TestfleetOptions } from '../types/options.ts'

export async function check(client: TestfleetOptions, source: Source): Promise<CheckResult> {
  const { fleet, audit } = await audited(client, source)
  return {
    file: fleet.source.file,
    servers: [...fleet.servers.keys()],
    findings: audit.findings.map(describe),
    ignored: audit.ignored.map((finding) => ({ ...describe(finding), reason: finding.reason })),
  }
}

export async function sarif(client: TestfleetOptions, source: Source): Promise<SarifResult> {
  const { toSarif, toSarifFailure } = await loadSarif()
  try {
    const { audit } = await audited(client, source)
    return { log: toSarif(audit, VERSION), findings: audit.findings.map(describe), error: undefined }
  } catch (error) {
    if (!isFailure(error)) throw error
    return { log: toSarifFailure(error, VERSION), findings: [], error }
  }
}

async function audited(client: TestfleetOptions, source: Source) {
  const host = hostOf(client)
  const fleet = await loadSource(source, [], host)
  const engine = await findEngine(client.engine, host).catch(undefinedIfUnusable)
  if (engine !== undefined) refuseOnLocal([...fleet.servers.values()], fleet, engine, host)
  return { fleet, audit: await auditFleet(fleet, host) }
}

/** A fleet is checked without an engine, too. */
function undefinedIfUnusable(error: unknown): undefined {
  if (!isFailure(error, 'ENGINE_CONFIGURATION')) throw error
}

function describe({ id, severity, server, file, line, column, message, why, hint, cwe }: FoundRisk): Finding {
  const place = line === undefined ? {} : column === undefined ? { line } : { line, column }
  return { id, severity, server, file, ...place, message, why, hint, cwe }
}
