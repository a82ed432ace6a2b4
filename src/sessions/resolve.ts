import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { SESSION } from '../formats/grammar.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Machine, SessionRecord } from '../model/session.ts'
import { readMachine } from './processes.ts'
import type { StoredRecord } from './store.ts'

/** Which session a call means, before anything is known of the sessions that there are. */
export type SessionChoice =
  /** Named by `--session`, the library's option, or TESTFLEET_SESSION; `by` says which. */
  | { readonly kind: 'named'; readonly name: string; readonly by: string }
  /** The session of this checkout: the one that `up` made from the same fleet file, by its real path. */
  | { readonly kind: 'checkout'; readonly file: string }

export interface ChoiceRequest {
  /** As the call names it; undefined where it names none. */
  readonly session: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Real path of the fleet file; asked for only when nothing names a session. */
  locateFile(): Promise<string>
}

/**
 * The one way in which every command and the library choose a session: what names it, then TESTFLEET_SESSION, then the
 * checkout. Fails with USAGE for what cannot be a name, and as `locateFile` does.
 */
export async function chooseSession({ session, environment, locateFile }: ChoiceRequest): Promise<SessionChoice> {
  if (session !== undefined) return { kind: 'named', name: checkSessionName(session), by: '--session' }
  const { TESTFLEET_SESSION: inherited } = environment
  if (inherited) return { kind: 'named', name: checkSessionName(inherited), by: 'TESTFLEET_SESSION' }
  return { kind: 'checkout', file: await locateFile() }
}

/** The session that is meant, if it is there. */
export function findSession(choice: SessionChoice, records: readonly StoredRecord[]): StoredRecord | undefined {
  if (choice.kind === 'named') return records.find(({ name }) => name === choice.name)
  const here = readMachine()
  return records.find(
    ({ file, isDefault, machine }) => isDefault && file === choice.file && isSameMachine(machine, here),
  )
}

/** As `findSession`. Fails with NO_SESSION. */
export function requireSession(choice: SessionChoice, records: readonly StoredRecord[]): StoredRecord {
  const found = findSession(choice, records)
  if (found === undefined) throw noSession(choice, records)
  return found
}

/** A path means a file only on its own machine. Containers have a machine of their own, and often no id. */
export function isSameMachine(one: Machine, other: Machine): boolean {
  return one.id === other.id && (one.id !== '' || one.name === other.name)
}

/** `name` is what the session would be called; a program that names none has only its file. */
export function noSession(
  choice: SessionChoice,
  records: readonly StoredRecord[],
  name = choice.kind === 'named' ? choice.name : `of ${choice.file}`,
): TestfleetError {
  // One of that name may be there all the same, of another checkout.
  const isOthers = choice.kind === 'checkout' && records.some((record) => record.name === name)
  const wanted = isOthers ? `of ${choice.file}` : name
  return new TestfleetError('NO_SESSION', `there is no session ${wanted} on this engine`, {
    hint: hintForMissing(choice, records, name),
  })
}

function hintForMissing(choice: SessionChoice, records: readonly StoredRecord[], fleet: string): string {
  if (choice.kind === 'named' && choice.by === 'TESTFLEET_SESSION') {
    return 'TESTFLEET_SESSION names it: the session has ended. Unset the variable, or name another session with --session.'
  }
  const others = choice.kind === 'named' ? [] : records.filter(({ file }) => file === choice.file)
  if (others.length > 0) return `Name one with --session: ${others.map(({ name }) => name).join(', ')}.`
  const moved =
    choice.kind === 'named' ? undefined : records.find((record) => record.fleet === fleet && isMoved(record))
  if (moved !== undefined)
    return `The session ${moved.name} was brought up from ${moved.file}, which is no longer there: if this folder was moved, name it with --session ${moved.name}.`
  return 'Start one with `testfleet up`, or name another with --session.'
}

/** Whether the file that `up` made the session from is gone from this machine. */
function isMoved({ file, isDefault, machine }: StoredRecord): boolean {
  return isDefault && file !== undefined && isSameMachine(machine, readMachine()) && !existsSync(file)
}

/** An id of a session or of a change: no image can carry it, as nobody knows it before. */
export function makeId(): string {
  return randomBytes(4).toString('hex')
}

/** A name that no other session has: the fleet's with a random end. */
export function makeSessionName(fleet: string): string {
  return `${fleet}-${randomBytes(3).toString('hex')}`
}

/** The name for a further checkout of a fleet: the fleet's, with four characters of the hash of its folder or file. */
function nameForPath(fleet: string, path: string): string {
  return `${fleet}-${createHash('sha256').update(path).digest('hex').slice(0, 4)}`
}

/** Fails with USAGE when it cannot be the name of a session. */
export function checkSessionName(name: string): string {
  if (SESSION.test(name)) return name
  throw new TestfleetError('USAGE', `${JSON.stringify(name)} cannot be the name of a session`, {
    hint: 'Use lower-case letters, digits and dashes, at most 48, with a letter or digit at both ends.',
  })
}

/** Of a session that is not there yet. */
export type NewSession = Pick<SessionRecord, 'name' | 'fleet' | 'domain' | 'file' | 'isDefault'> & {
  readonly isHeld: boolean
}

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
    if (choice.kind === 'named' && isOfAnotherFile(record, fleet)) throw ofAnotherFile(record, fleet)
    return { kind: 'existing', record }
  }
  if (choice.kind === 'named') return describe(choice.name, false)
  // A folder may have several fleet files of one name.
  const paths = [dirname(choice.file), choice.file]
  const names = [fleet.name, ...paths.map((path) => nameForPath(fleet.name, path))]
  const free = names.find((name) => !isTaken(name))
  if (free !== undefined) return describe(free, true)
  throw new TestfleetError('NAME_TAKEN', `the sessions ${names.join(', ')} are there already, of other fleet files`, {
    hint: 'Name a session of your own with --session.',
  })
}

/** What is taken down at the end must be what was put up. */
function isThere(session: string): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `the session ${session} is there already, and this one would end it`, {
    hint: 'Leave the name of the session out, or use one that is not there.',
  })
}

/** A file that is no longer there has been moved, with its folder: this one can be it. */
function isOfAnotherFile({ file, machine }: StoredRecord, fleet: Fleet): boolean {
  if (file === undefined || fleet.file === undefined || file === fleet.file) return false
  return isSameMachine(machine, readMachine()) && existsSync(file)
}

/** Another file of the same name, as in a copy of the folder, would change the servers of the first without a word. */
function ofAnotherFile({ name, file = '' }: StoredRecord, fleet: Fleet): TestfleetError {
  const own = fleet.file ?? ''
  const show = dirname(file) === dirname(own) ? basename : (path: string): string => path
  return new TestfleetError(
    'NAME_TAKEN',
    `the session ${name} was brought up from ${show(file)}; this is ${show(own)}`,
    {
      hint: `Name another session with --session, or remove that one with: testfleet down --session ${name}`,
    },
  )
}

/** Its servers would be taken for ones that this fleet no longer has. */
function ofAnotherFleet({ name, fleet }: StoredRecord): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `the session ${name} is of the fleet ${fleet}`, {
    hint: `Name another session with --session, or remove that one with: testfleet down --session ${name}`,
  })
}
