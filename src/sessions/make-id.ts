import { randomBytes } from 'node:crypto'

/**
 * Returns a random id for a session or a change. Images cannot carry it as a label, because it is not known beforehand.
 */
export function makeId(): string {
  return randomBytes(4).toString('hex')
}
