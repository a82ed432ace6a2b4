import { expect, test } from 'vitest'
import { readSignal } from './signal.ts'

test.each([
  ['HUP', 'SIGHUP'],
  ['hup', 'SIGHUP'],
  ['SIGUSR1', 'SIGUSR1'],
  ['1', 'SIGHUP'],
  ['09', 'SIGKILL'],
  ['40', '40'],
  ['RTMIN+3', 'SIGRTMIN+3'],
])('%s is the signal %s', (text, name) => {
  expect(readSignal(text)).toBe(name)
})

test.each(['', 'SIG', 'NOPE', '0', '65', '999', '-9', 'HUP;', 'SIGHUP ', 'RTMIN+300', `SIG${'A'.repeat(1000)}`])(
  '%j is no signal',
  (text) => {
    expect(readSignal(text)).toBeUndefined()
  },
)
