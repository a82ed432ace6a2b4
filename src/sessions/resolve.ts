import { createHash, randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { SESSION } from '../formats/grammar.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Machine, SessionRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import { readMachine } from './processes.ts'
import type { StoredRecord } from './store.ts'

/** Which session a call means, before the existing sessions are known. */
export type SessionChoice =
  /** Named by `--session`, by the library's option, or by TESTFLEET_SESSION; `by` says which. */
  | { readonly kind: 'named'; readonly name: string; readonly by: string }
  /** The session of this checkout: the one that `up` started from the same fleet file, by its real path. */
  | { readonly kind: 'checkout'; readonly file: string }

export interface ChoiceRequest {
  /** Name given by the caller; undefined when none is given. */
  readonly session: string | undefined
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Returns the real path of the fleet file; called only when no session is named. */
  locateFile(): Promise<string>
}

/**
 * Chooses a session, for every command and the library: the given name, then TESTFLEET_SESSION, then the checkout.
 * Fails with USAGE for an invalid name, and as `locateFile` does.
 */
export async function chooseSession({ session, environment, locateFile }: ChoiceRequest): Promise<SessionChoice> {
  if (session !== undefined) return { kind: 'named', name: checkSessionName(session), by: say('session') }
  const { TESTFLEET_SESSION: inherited } = environment
  if (inherited) return { kind: 'named', name: checkSessionName(inherited), by: 'TESTFLEET_SESSION' }
  return { kind: 'checkout', file: await locateFile() }
}

/** Returns the chosen session if it exists. */
export function findSession(choice: SessionChoice, records: readonly StoredRecord[]): StoredRecord | undefined {
  if (choice.kind === 'named') return records.find(({ name }) => name === choice.name)
  const here = readMachine()
  return records.find(
    ({ file, isDefault, machine }) => isDefault && file === choice.file && isSameMachine(machine, here),
  )
}

/** Like `findSession`. Fails with NO_SESSION. */
export function requireSession(choice: SessionChoice, records: readonly StoredRecord[]): StoredRecord {
  const found = findSession(choice, records)
  if (found === undefined) throw noSession(choice, records)
  return found
}

/**
 * Whether both are the same machine, so that a path means the same file. Containers are machines of their own, often
 * without an id.
 */
export function isSameMachine(one: Machine, other: Machine): boolean {
  return one.id === other.id && (one.id !== '' || one.name === other.name)
}

/** Creates the NO_SESSION failure. `name` is what the session would be called; without one, messages name the file. */
export function noSession(
  choice: SessionChoice,
  records: readonly StoredRecord[],
  name = choice.kind === 'named' ? choice.name : `of ${choice.file}`,
): TestfleetError {
  // The name may be taken by a session of another checkout.
  const isOthers = choice.kind === 'checkout' && records.some((record) => record.name === name)
  const wanted = isOthers ? `of ${choice.file}` : name
  return new TestfleetError('NO_SESSION', `there is no session ${wanted} on this engine`, {
    hint: hintForMissing(choice, records, name),
  })
}

function hintForMissing(choice: SessionChoice, records: readonly StoredRecord[], fleet: string): string {
  if (choice.kind === 'named' && choice.by === 'TESTFLEET_SESSION') {
    return `Unset TESTFLEET_SESSION, which names a session that has ended, or name another one with ${say('session')}.`
  }
  const others = choice.kind === 'named' ? [] : records.filter(({ file }) => file === choice.file)
  if (others.length > 0) return `Name one with ${say('session')}: ${others.map(({ name }) => name).join(', ')}.`
  const moved =
    choice.kind === 'named' ? undefined : records.find((record) => record.fleet === fleet && isMoved(record))
  if (moved !== undefined)
    return `Name it with ${say('session', moved.name)} if this folder was moved: that session was brought up from ${moved.file}, which no longer exists.`
  return `Start one with ${say('up')}, or name another with ${say('session')}.`
}

/** Whether the fleet file of a session of `up` no longer exists on this machine. */
function isMoved({ file, isDefault, machine }: StoredRecord): boolean {
  return isDefault && file !== undefined && isSameMachine(machine, readMachine()) && !existsSync(file)
}

/** Returns a session name with a random end, so that it is unique. */
export function makeSessionName(fleet: string): string {
  return `${fleet}-${randomBytes(3).toString('hex')}`
}

/**
 * Returns the session name for a further checkout of a fleet: the fleet's name and four characters of the path's hash.
 */
function nameForPath(fleet: string, path: string): string {
  return `${fleet}-${createHash('sha256').update(path).digest('hex').slice(0, 4)}`
}

/** Returns the name. Fails with USAGE unless it is a valid session name. */
export function checkSessionName(name: string): string {
  if (SESSION.test(name)) return name
  throw new TestfleetError('USAGE', `${JSON.stringify(name)} cannot be the name of a session`, {
    hint: 'Use lower-case letters, digits and dashes, at most 48, with a letter or digit at both ends.',
  })
}

/** A session that does not exist yet. */
export type NewSession = Pick<
  SessionRecord,
  'name' | 'parent' | 'fleet' | 'domain' | 'file' | 'isDefault' | 'isStandby'
> & {
  readonly isHeld: boolean
  /** Socket on which its first holder is asked to end it. */
  readonly socket?: string | undefined
}

type Life = Pick<NewSession, 'isHeld' | 'isStandby'>

/** The session that `up` works on: an existing one, or one to create. */
export type Target =
  | { readonly kind: 'existing'; readonly record: StoredRecord }
  | { readonly kind: 'new'; readonly session: NewSession }

/** `new`: a session that ends with its holders, such as `run` creates. */
export type TargetChoice =
  | SessionChoice
  | { readonly kind: 'new'; readonly name: string | undefined; readonly isStandby?: true }

/**
 * Finds the session to work on. Fails with NAME_TAKEN when the named session belongs to another fleet, or exists and
 * must not.
 */
export function findTarget(choice: TargetChoice, fleet: Fleet, records: readonly StoredRecord[]): Target {
  const isTaken = (name: string): boolean => records.some((record) => record.name === name)
  const describe = (name: string, isDefault: boolean, life: Life = { isHeld: false }): Target => ({
    kind: 'new',
    session: { name, fleet: fleet.name, domain: fleet.domain, file: fleet.file, isDefault, ...life },
  })
  if (choice.kind === 'new') {
    const name = choice.name === undefined ? makeSessionName(fleet.name) : checkSessionName(choice.name)
    if (isTaken(name)) throw isThere(name)
    const { isStandby } = choice
    return describe(name, false, { isHeld: true, ...(isStandby && { isStandby }) })
  }
  const record = findSession(choice, records)
  if (record !== undefined) {
    if (choice.kind === 'named' && record.fleet !== fleet.name) throw ofAnotherFleet(record)
    if (choice.kind === 'named' && isOfAnotherFile(record, fleet)) throw ofAnotherFile(record, fleet)
    return { kind: 'existing', record }
  }
  if (choice.kind === 'named') return describe(choice.name, false)
  // One folder may have several fleet files of the same fleet name.
  const paths = [dirname(choice.file), choice.file]
  const names = [fleet.name, ...paths.map((path) => nameForPath(fleet.name, path))]
  const free = names.find((name) => !isTaken(name))
  if (free !== undefined) return describe(free, true)
  throw new TestfleetError(
    'NAME_TAKEN',
    `the sessions ${names.join(', ')} already exist and belong to other fleet files`,
    {
      hint: `Name another session with ${say('session')}.`,
    },
  )
}

/** A session of `run` must be new, because `run` removes it at the end. */
export function isThere(session: string): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `the session ${session} already exists`, {
    hint: 'Leave out the name of the session, or use one that does not exist yet.',
  })
}

/**
 * Whether the session belongs to another file. A recorded file that no longer exists may have been moved to this one's
 * place.
 */
function isOfAnotherFile({ file, machine }: StoredRecord, fleet: Fleet): boolean {
  if (file === undefined || fleet.file === undefined || file === fleet.file) return false
  return isSameMachine(machine, readMachine()) && existsSync(file)
}

/**
 * Refused, because another file of the same fleet name, as in a copy of the folder, would silently change the first
 * one's servers.
 */
function ofAnotherFile({ name, file = '' }: StoredRecord, fleet: Fleet): TestfleetError {
  const own = fleet.file ?? ''
  const show = dirname(file) === dirname(own) ? basename : (path: string): string => path
  return new TestfleetError(
    'NAME_TAKEN',
    `the session ${name} was brought up from ${show(file)}; this is ${show(own)}`,
    {
      hint: `Name another session with ${say('session')}, or remove that one with ${say('down', name)}.`,
    },
  )
}

/** Refused, because its servers would count as removed from this fleet. */
function ofAnotherFleet({ name, fleet }: StoredRecord): TestfleetError {
  return new TestfleetError('NAME_TAKEN', `the session ${name} belongs to the fleet ${fleet}`, {
    hint: `Name another session with ${say('session')}, or remove that one with ${say('down', name)}.`,
  })
}
