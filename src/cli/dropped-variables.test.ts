import { expect, test } from 'vitest'
import { restoreDroppedVariables } from './dropped-variables.ts'

test.each([
  ['A-B=1\0a.b=x=y\0', { 'A-B': '1', 'a.b': 'x=y' }],
  ['BASH_FUNC_f%%=() {  echo a\n}\0', { 'BASH_FUNC_f%%': '() {  echo a\n}' }],
  // The shell has kept it, or the entry has no name.
  ['KEPT=dropped\0=x\0no name\0EMPTY-=\0', { 'EMPTY-': '' }],
  ['', {}],
])('variables that the shell dropped are restored from %j', (entries, expected) => {
  const environment = { KEPT: 'here', TESTFLEET_DROPPED: Buffer.from(entries).toString('base64') }
  restoreDroppedVariables(environment)
  expect(environment).toEqual({ KEPT: 'here', ...expected })
})

test('nothing changes if the shell dropped nothing', () => {
  const environment = { A: 'b' }
  restoreDroppedVariables(environment)
  expect(environment).toEqual({ A: 'b' })
})
