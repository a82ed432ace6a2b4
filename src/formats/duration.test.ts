import { expect, test } from 'vitest'
import { formatDuration, readDurationMs } from './duration.ts'

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

test.each([
  [0, '0.0 s'],
  [449, '0.4 s'],
  [9949, '9.9 s'],
  [9950, '10 s'],
  [12_400, '12 s'],
  [59_499, '59 s'],
  [59_500, '1 min 0 s'],
  [65_000, '1 min 5 s'],
  [119_600, '2 min 0 s'],
  [3_599_000, '59 min 59 s'],
  [3_600_000, '1 h 0 min'],
  [90_059_000, '25 h 0 min'],
])('formatDuration words %i ms as %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text)
})
