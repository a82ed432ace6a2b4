import { severities } from '../model/finding.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import { type Audit, type Finding, setAside, toFinding } from './findings.ts'
import { readSubject } from './read-subject.ts'
import { buildRules } from './rules/build-steps.ts'
import { fileRules } from './rules/files.ts'
import { imageRules } from './rules/images.ts'
import { networkRules } from './rules/network.ts'
import { processRules } from './rules/processes.ts'
import { rightRules } from './rules/rights.ts'
import { secretRules } from './rules/secrets.ts'
import { serverRules } from './rules/servers.ts'

export { maskSecretTexts } from './secret-texts.ts'
export type { Audit, Finding }

/** SARIF is loaded on demand. */
export const loadSarif = () => import('./sarif.ts')

const rules = [
  imageRules,
  secretRules,
  fileRules,
  rightRules,
  networkRules,
  processRules,
  buildRules,
  serverRules,
].flat()

/**
 * Finds what can be attacked, leak or break. Reads the files that are copied, needs no engine and changes nothing.
 * `environment` is the caller's.
 */
export async function auditFleet(fleet: Fleet, { environment }: Pick<Host, 'environment'>): Promise<Audit> {
  const subject = await readSubject(fleet, environment)
  const sightings = rules.flatMap((rule) => [...rule(subject)])
  const { standing, ignored } = setAside(distinct(sightings.map((sighting) => toFinding(sighting, fleet))), fleet)
  return { findings: inOrder(standing), ignored: inOrder(ignored) }
}

/** Servers that share a file or a Dockerfile share its findings. */
function distinct(findings: readonly Finding[]): Finding[] {
  const keyOf = ({ id, file, line, column, message, server }: Finding): string =>
    JSON.stringify([id, file, line, column, message, line === undefined ? server : undefined])
  return [...new Map(findings.map((finding) => [keyOf(finding), finding])).values()]
}

function inOrder<Kind extends Finding>(findings: readonly Kind[]): Kind[] {
  return [...findings].sort(
    (a, b) =>
      severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0),
  )
}
