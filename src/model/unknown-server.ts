import { TestfleetError } from './failures.ts'

export function unknownServer(name: string, known: Iterable<string>): TestfleetError {
  const names = [...known].join(', ')
  return new TestfleetError('UNKNOWN_SERVER', `there is no server \`${name}\``, { hint: `The servers are: ${names}.` })
}
