import { expect, test } from 'vitest'
import { readDurationMs } from './duration.ts'

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['5', 5000],
  [0.25, 250],
  ['0s', 0],
  ['', undefined],
  ['-1s', undefined],
  ['1d', undefined],
  ['1 s', undefined],
  ['1h30m', undefined],
  [undefined, undefined],
])('readDurationMs reads %j as %s', (duration, ms) => {
  expect(readDurationMs(duration)).toBe(ms)
})
