import type { Instruction } from '../formats/dockerfile.ts'
import type { FindingId, Severity } from '../model/finding.ts'
import type { FieldPath, Fleet, Position } from '../model/fleet.ts'

/** Everything that the rules examine: the fleet, and the content of the files that it names. */
export interface Subject {
  readonly fleet: Fleet
  /** Names of the variables in the caller's environment. */
  readonly callerVariables: ReadonlySet<string>
  readonly files: readonly CopiedFile[]
  readonly dockerfiles: readonly Dockerfile[]
  /** The certificate of each server with a certificate of the user. */
  readonly certificates: ReadonlyMap<string, OwnLeaf>
  readonly nowMs: number
}

/** The fields of the user's own certificate that clients verify. */
export interface OwnLeaf {
  readonly shown: string
  readonly fromMs: number
  readonly untilMs: number
  readonly isValidFor: (name: string) => boolean
}

/** A file that goes into an image. */
export interface CopiedFile {
  readonly server: string | undefined
  /** Its position in the fleet file. */
  readonly at: FieldPath
  /** As shown to people: relative to the fleet's folder. */
  readonly shown: string
  /** Undefined if it is too large, is not text, or comes after too many others. */
  readonly text: string | undefined
}

/** The user's own Dockerfile. */
export interface Dockerfile {
  readonly server: string
  readonly at: FieldPath
  /** The path as messages show it. */
  readonly file: string
  readonly target: string | undefined
  readonly instructions: readonly Instruction[]
}

/** What a rule has found. The catalogue explains it. */
export interface Sighting {
  readonly id: FindingId
  readonly server: string | undefined
  readonly at: Place
  readonly message: string
  /** Set if it differs from the catalogue's. */
  readonly severity?: Severity
}

/** A value of the fleet file, its key, or a position in another file. */
export type Place = { readonly value: FieldPath } | { readonly key: FieldPath } | { readonly position: Position }

/** Reports one or a few kinds of findings. Reads only the subject. */
export type Rule = (subject: Subject) => Iterable<Sighting>

/** Explains a kind of finding. `hint` says how to fix it. */
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
