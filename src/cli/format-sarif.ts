import { createHash } from 'node:crypto'
import { isAbsolute, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Audit } from '../audit/audit.ts'
import { catalogue } from '../audit/catalogue.ts'
import type { Finding, Severity } from '../model/finding.ts'
import { findingIds } from '../model/finding-ids.ts'
import { VERSION } from '../version.ts'

const level: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
}

/** The scale of code hosts that sort alerts by a number. */
const score: Readonly<Record<Severity, string>> = { critical: '9.5', high: '8.0', medium: '5.5', low: '2.0' }

/** SARIF 2.1.0: one run, with every rule; what is ignored is there as suppressed. */
export function toSarif({ findings, ignored }: Audit): object {
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'testfleet', semanticVersion: VERSION, rules: findingIds.map(toRule) } },
        columnKind: 'utf16CodeUnits',
        results: [
          ...findings.map((finding) => toResult(finding)),
          ...ignored.map((finding) => ({
            ...toResult(finding),
            suppressions: [{ kind: 'inSource', status: 'accepted', justification: finding.reason }],
          })),
        ],
      },
    ],
  }
}

function toRule(id: Finding['id']): object {
  const { title, why, hint, severity, cwe } = catalogue[id]
  return {
    id,
    shortDescription: { text: title },
    fullDescription: { text: why },
    help: { text: hint },
    defaultConfiguration: { level: level[severity] },
    properties: { tags: ['security', `external/cwe/cwe-${cwe}`], 'security-severity': score[severity] },
  }
}

function toResult({ id, severity, server, file, line, column, message, hint, cwe }: Finding): object {
  const said = server === undefined ? message : `${server}: ${message}`
  return {
    ruleId: id,
    ruleIndex: findingIds.indexOf(id),
    level: level[severity],
    message: { text: `${said}. ${hint}` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: toArtifact(file),
          ...(line === undefined ? {} : { region: { startLine: line, startColumn: column } }),
        },
        ...(server === undefined ? {} : { logicalLocations: [{ name: server, kind: 'resource' }] }),
      },
    ],
    // The same finding stays the same when lines are put in above it.
    partialFingerprints: {
      'testfleet/v1': createHash('sha256')
        .update(JSON.stringify([id, file, said]))
        .digest('hex'),
    },
    properties: { severity, cwe },
  }
}

/** Relative to where the call was made, as the code hosts want it. */
function toArtifact(file: string): object {
  if (isAbsolute(file)) return { uri: pathToFileURL(file).href }
  return { uri: file.split(sep).map(encodeURIComponent).join('/') }
}
