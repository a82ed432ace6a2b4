import { createHash } from 'node:crypto'
import { isAbsolute, sep } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Mistake, TestfleetError } from '../model/failures.ts'
import { findingIds, type Severity } from '../model/finding.ts'
import type { Position } from '../model/fleet.ts'
import { catalogue } from './catalogue.ts'
import type { Audit, Finding } from './findings.ts'

const level: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  critical: 'error',
  high: 'error',
  medium: 'warning',
  low: 'note',
}

/** Scores for code hosts, which sort alerts by a number. */
const score: Readonly<Record<Severity, string>> = { critical: '9.5', high: '8.0', medium: '5.5', low: '2.0' }

/** Returns SARIF 2.1.0: one run, with every rule. Ignored findings are suppressed results. */
export function toSarif({ findings, ignored }: Audit, version: string): object {
  return toLog(version, findingIds.map(toRule), {
    results: [
      ...findings.map((finding) => toResult(finding)),
      ...ignored.map((finding) => ({
        ...toResult(finding),
        suppressions: [{ kind: 'inSource', status: 'accepted', justification: finding.reason }],
      })),
    ],
  })
}

/** Returns SARIF for a failed check: mistakes of a fleet file are results, other failures are tool notifications. */
export function toSarifFailure(failure: TestfleetError, version: string): object {
  const isOfFile = failure.mistakes.length > 0
  const notification = {
    descriptor: { id: failure.code },
    level: 'error',
    message: { text: withHint(failure.message, failure.hint) },
    ...(failure.at === undefined ? {} : { locations: [toLocation(failure.at)] }),
  }
  const invocation = {
    executionSuccessful: false,
    exitCode: failure.exitCode,
    ...(isOfFile ? {} : { toolExecutionNotifications: [notification] }),
  }
  const rules = isOfFile ? [mistakeRule] : []
  return toLog(version, rules, {
    invocations: [invocation],
    results: isOfFile ? failure.mistakes.map(toMistakeResult) : [],
  })
}

function toLog(version: string, rules: readonly object[], run: object): object {
  const driver = { name: 'testfleet', semanticVersion: version, rules }
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [{ tool: { driver }, columnKind: 'utf16CodeUnits', ...run }],
  }
}

const mistakeRule = {
  id: 'FLEET_FILE_INVALID',
  shortDescription: { text: 'the fleet file has a mistake' },
  fullDescription: { text: 'A fleet file with mistakes is not audited, and nothing of it is started.' },
  defaultConfiguration: { level: 'error' },
}

function toMistakeResult({ at, field, message }: Mistake): object {
  const said = field === '' ? message : `${field}: ${message}`
  return {
    ruleId: mistakeRule.id,
    ruleIndex: 0,
    level: 'error',
    message: { text: said },
    locations: [toLocation(at)],
    partialFingerprints: fingerprint([mistakeRule.id, at.file, said]),
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
    properties: { tags: ['security', `external/cwe/${cwe.toLowerCase()}`], 'security-severity': score[severity] },
  }
}

function toResult(finding: Finding): object {
  const { id, severity, server, file, message, hint, cwe } = finding
  const said = server === undefined ? message : `${server}: ${message}`
  return {
    ruleId: id,
    ruleIndex: findingIds.indexOf(id),
    level: level[severity],
    message: { text: withHint(said, hint) },
    locations: [
      {
        ...toLocation(finding),
        ...(server === undefined ? {} : { logicalLocations: [{ name: server, kind: 'resource' }] }),
      },
    ],
    partialFingerprints: fingerprint([id, file, said]),
    properties: { severity, cwe },
  }
}

function withHint(message: string, hint: string | undefined): string {
  return hint === undefined ? message : `${message}. ${hint}`
}

/** Independent of lines: a finding is the same after lines were inserted above it. */
function fingerprint(words: readonly string[]): object {
  return { 'testfleet/v1': createHash('sha256').update(JSON.stringify(words)).digest('hex') }
}

function toLocation({ file, line, column }: Position): object {
  const region = line === undefined ? {} : { region: { startLine: line, startColumn: column } }
  return { physicalLocation: { artifactLocation: toArtifact(file), ...region } }
}

/** Relative to the working folder, as code hosts require. */
function toArtifact(file: string): object {
  if (isAbsolute(file)) return { uri: pathToFileURL(file).href }
  return { uri: file.split(sep).map(encodeURIComponent).join('/') }
}
