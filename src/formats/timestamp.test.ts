import { expect, test } from 'vitest'
import { readTimestampS } from './timestamp.ts'

test.each<[string | number, number]>([
  [0, 0],
  [1_700_000_000, 1_700_000_000],
  [8_589_934_591, 8_589_934_591],
  ['1970-01-01', 0],
  ['2024-02-29', 1_709_164_800],
  ['2024-02-29T12:34:56Z', 1_709_210_096],
  ['2242-03-16T12:56:31Z', 8_589_934_591],
])('%s is a time', (value, seconds) => {
  expect(readTimestampS(value)).toBe(seconds)
})

test.each([
  ...[
    -1,
    0.5,
    8_589_934_592,
    Number.NaN,
    '',
    '2024',
    '2024-2-9',
    '2023-02-29',
    '2024-02-30',
    '2024-13-01',
    '1969-12-31',
  ],
  ...['2024-01-01T00:00Z', '2024-01-01T24:00:00Z', '2024-01-01T00:00:00+01:00', '2242-03-17', 'now', '1700000000'],
])('%s is not a time', (value) => {
  expect(readTimestampS(value)).toBeUndefined()
})
