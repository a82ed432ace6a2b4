import { expect, test } from 'vitest'
import { readSizeBytes } from './size.ts'

test.each([
  ['10', 10],
  ['10b', 10],
  ['512k', 524_288],
  ['256M', 268_435_456],
  ['1.5gb', 1_610_612_736],
  ['1 g', 1_073_741_824],
  [4096, 4096],
  ['0', undefined],
  ['8193t', undefined],
  ['1kib', undefined],
  ['-1', undefined],
  ['', undefined],
  [undefined, undefined],
])('readSizeBytes reads %j as %s', (size, bytes) => {
  expect(readSizeBytes(size)).toBe(bytes)
})
