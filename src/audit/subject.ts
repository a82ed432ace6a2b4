import type { Instruction } from '../formats/dockerfile.ts'
import type { FindingId, Severity } from '../model/finding.ts'
import type { FieldPath, Fleet, Position } from '../model/fleet.ts'

/** All that the rules look at: the fleet, and what was read of the files that it names. */
export interface Subject {
  readonly fleet: Fleet
  /** Names of the variables that are set where testfleet was called. */
  readonly callerVariables: ReadonlySet<string>
  readonly files: readonly CopiedFile[]
  readonly dockerfiles: readonly Dockerfile[]
  /** The certificate of each server that brings its own. */
  readonly certificates: ReadonlyMap<string, OwnLeaf>
  readonly nowMs: number
}

/** A certificate of the user's own, as far as clients judge it. */
export interface OwnLeaf {
  readonly shown: string
  readonly fromMs: number
  readonly untilMs: number
  readonly isValidFor: (name: string) => boolean
}

/** A file that goes into an image. */
export interface CopiedFile {
  readonly server: string | undefined
  /** Where the fleet file asks for it. */
  readonly at: FieldPath
  /** As it is shown: relative to the fleet's folder. */
  readonly shown: string
  /** Undefined where it is too large, is no text, or comes after too many others. */
  readonly text: string | undefined
}

/** A Dockerfile of the user's own. */
export interface Dockerfile {
  readonly server: string
  readonly at: FieldPath
  /** The path as messages show it. */
  readonly file: string
  readonly target: string | undefined
  readonly instructions: readonly Instruction[]
}

/** What a rule has seen. The catalogue says the rest of it. */
export interface Sighting {
  readonly id: FindingId
  readonly server: string | undefined
  readonly at: Place
  readonly message: string
  /** Where it is more or less than the catalogue says. */
  readonly severity?: Severity
}

/** A value of the fleet file, the key of one, or a place in another file. */
export type Place = { readonly value: FieldPath } | { readonly key: FieldPath } | { readonly position: Position }

/** One or a few kinds of findings; reads the subject and nothing else. */
export type Rule = (subject: Subject) => Iterable<Sighting>

/** What a kind of finding means. `hint` says how to fix it. */
interface Meaning {
  readonly severity: Severity
  /** Number in the Common Weakness Enumeration. */
  readonly cwe: `CWE-${number}`
  readonly title: string
  readonly why: string
  readonly hint: string
}

export type Catalogue = Readonly<Record<FindingId, Meaning>>

export function finding(
  severity: Severity,
  cwe: Meaning['cwe'],
  title: string,
  { why, hint }: Pick<Meaning, 'why' | 'hint'>,
): Meaning {
  return { severity, cwe, title, why, hint }
}
