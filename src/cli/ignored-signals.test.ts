import { expect, test } from 'vitest'
import { takeIgnoredSignals } from './ignored-signals.ts'

test.each([
  ['0000000000000000', []],
  // nohup
  ['0000000000000001', ['SIGHUP']],
  // A background job of a script.
  ['0000000000000006', ['SIGINT', 'SIGQUIT']],
  ['0000000000381000', ['SIGPIPE', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU']],
  // Realtime signals and those that nobody can ignore.
  ['ffffffff00000100', []],
  ['no mask', []],
])('with the mask %s, the signals %j stay ignored', (mask, expected) => {
  const environment = { A: 'b', TESTFLEET_SIGIGN: mask }
  expect(new Set(takeIgnoredSignals(environment))).toEqual(new Set(expected))
  expect(environment).toEqual({ A: 'b' })
})

test('without a mask, no signal stays ignored', () => {
  expect(takeIgnoredSignals({})).toEqual([])
})
