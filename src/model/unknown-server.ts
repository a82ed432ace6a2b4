import { findNearest } from '../formats/nearest.ts'
import { TestfleetError } from './failures.ts'

export function unknownServer(name: string, known: Iterable<string>): TestfleetError {
  const names = [...known]
  const nearest = findNearest(name, names)
  const guess = nearest === undefined ? '' : `Did you mean \`${nearest}\`? `
  const hint = `${guess}The servers are: ${names.join(', ')}.`
  return new TestfleetError('UNKNOWN_SERVER', `there is no server \`${name}\``, { hint })
}
