import { expect, test } from 'vitest'
import { readFailures } from './batch.ts'

test('each failed line is known with what the program said about it', () => {
  const said = 'RTNETLINK answers: File exists\nCommand failed -:2\nCannot find device "tv1"\nCommand failed -:11\n'
  expect([...readFailures(said)]).toEqual([
    [2, 'RTNETLINK answers: File exists'],
    [11, 'Cannot find device "tv1"'],
  ])
  expect(readFailures('').size).toBe(0)
  expect(readFailures('ip: not found\n').size).toBe(0)
})
