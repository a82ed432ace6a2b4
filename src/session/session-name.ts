import { randomBytes } from 'node:crypto'
import { SESSION } from '../formats/grammar.ts'
import { TestfleetError } from '../model/failures.ts'

/** A name that no other session has: the fleet's, and a random end. */
export function makeSessionName(fleet: string): string {
  return `${fleet}-${randomBytes(3).toString('hex')}`
}

/** Fails with USAGE when it cannot be the name of a session. */
export function checkSessionName(name: string): string {
  if (SESSION.test(name)) return name
  throw new TestfleetError('USAGE', `${JSON.stringify(name)} cannot be the name of a session`, {
    hint: 'Use lower-case letters, digits and dashes, at most 48, with a letter or digit at both ends.',
  })
}
