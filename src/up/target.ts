import { TestfleetError } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import type { NewSession } from '../sessions/begin-change.ts'
import {
  checkSessionName,
  findSession,
  makeSessionName,
  nameForFolder,
  type SessionChoice,
} from '../sessions/resolve.ts'
import type { StoredRecord } from '../sessions/store.ts'

/** The session that `up` works on: one that is there, or the one to create. */
export type Target =
  | { readonly kind: 'existing'; readonly record: StoredRecord }
  | { readonly kind: 'new'; readonly session: NewSession }

/** `new`: a session of its own that ends with those who hold it, such as `run` makes. */
export type TargetChoice = SessionChoice | { readonly kind: 'new'; readonly name: string | undefined }

/** Fails with NAME_TAKEN where the session that is named is not this fleet's, or is there and must not be. */
export function findTarget(choice: TargetChoice, fleet: Fleet, records: readonly StoredRecord[]): Target {
  const isTaken = (name: string): boolean => records.some((record) => record.name === name)
  const describe = (name: string, isDefault: boolean, isHeld = false): Target => ({
    kind: 'new',
    session: { name, fleet: fleet.name, domain: fleet.domain, file: fleet.file, isDefault, isHeld },
  })
  if (choice.kind === 'new') {
    const name = choice.name === undefined ? makeSessionName(fleet.name) : checkSessionName(choice.name)
    if (isTaken(name)) throw isThere(name)
    return describe(name, false, true)
  }
  const record = findSession(choice, records)
  if (record !== undefined) {
    if (choice.kind === 'named' && record.fleet !== fleet.name) throw ofAnotherFleet(record)
    return { kind: 'existing', record }
  }
  if (choice.kind === 'named') return describe(choice.name, false)
  if (!isTaken(fleet.name)) return describe(fleet.name, true)
  const name = nameForFolder(fleet.name, choice.file)
  if (!isTaken(name)) return describe(name, true)
  throw new TestfleetError('NAME_TAKEN', `the sessions ${fleet.name} and ${name} are there already, of other folders`, {
    hint: 'Name a session of your own with --session.',
  })
}

/** What is taken down at the end must be what was put up. */
function isThere(session: string): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `the session ${session} is there already, and this one would end it`, {
    hint: 'Leave the name of the session out, or use one that is not there.',
  })
}

/** Its servers would be taken for ones that this fleet no longer has. */
function ofAnotherFleet({ name, fleet }: StoredRecord): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `the session ${name} is of the fleet ${fleet}`, {
    hint: `Name another session with --session, or remove that one with: testfleet down --session ${name}`,
  })
}
