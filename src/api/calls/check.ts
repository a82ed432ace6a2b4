import { auditFleet, type Finding as FoundRisk } from '../../audit/audit.ts'
import { hostOf, loadSource } from '../call.ts'
import type { CheckResult, Finding } from '../types/check.ts'
import type { Source, TestfleetOptions } from '../types/options.ts'

export async function check(client: TestfleetOptions, source: Source): Promise<CheckResult> {
  const host = hostOf(client)
  const fleet = await loadSource(source, [], host)
  const { findings, ignored } = await auditFleet(fleet, host)
  return {
    file: fleet.source.file,
    servers: [...fleet.servers.keys()],
    findings: findings.map(describe),
    ignored: ignored.map((finding) => ({ ...describe(finding), reason: finding.reason })),
  }
}

function describe({ id, severity, server, file, line, column, message, why, hint, cwe }: FoundRisk): Finding {
  return { id, severity, server, file, line, column, message, why, hint, cwe }
}
