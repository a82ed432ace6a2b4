import { createHash, randomBytes } from 'node:crypto'
import { dirname } from 'node:path'
import { SESSION } from '../formats/grammar.ts'
import { TestfleetError } from '../model/failures.ts'

/** An id of a session or of a change: no image can carry it, as nobody knows it before. */
export function makeId(): string {
  return randomBytes(4).toString('hex')
}

/** A name that no other session has: the fleet's with a random end. */
export function makeSessionName(fleet: string): string {
  return `${fleet}-${randomBytes(3).toString('hex')}`
}

/** The name for a further checkout of a fleet: the fleet's, with four characters of the hash of its folder. */
export function nameForFolder(fleet: string, file: string): string {
  return `${fleet}-${createHash('sha256').update(dirname(file)).digest('hex').slice(0, 4)}`
}

/** Fails with USAGE when it cannot be the name of a session. */
export function checkSessionName(name: string): string {
  if (SESSION.test(name)) return name
  throw new TestfleetError('USAGE', `${JSON.stringify(name)} cannot be the name of a session`, {
    hint: 'Use lower-case letters, digits and dashes, at most 48, with a letter or digit at both ends.',
  })
}
