import { expect, test } from 'vitest'
import { checkCommandList } from './command-list.ts'

test('a list with a program is a command', () => {
  expect(() => checkCommandList(['psql', '-c', ''])).not.toThrow()
})

test.each([
  ['psql -c', '"psql -c"'],
  [[], 'this'],
  [['sleep', 1], 'this'],
  [undefined, 'this'],
  [{ 0: 'psql', length: 1 }, 'this'],
])('%j is refused, and the hint shows a list', (command, given) => {
  const message = `a command is a list of one or more strings, not ${given}`
  const hint = expect.stringContaining("['psql', ")
  expect(() => checkCommandList(command)).toThrow(expect.objectContaining({ code: 'USAGE', message, hint }))
})
