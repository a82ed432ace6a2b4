import { expect, test } from 'vitest'
import { formatSize, readSizeBytes } from './size.ts'

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

test.each([
  [1, '1b'],
  [1000, '1000b'],
  [512 * 1024, '512k'],
  [268_435_456, '256m'],
  [1_610_612_736, '1536m'],
  [2 ** 30, '1g'],
])('formatSize writes %j as %s, which reads as the same', (bytes, size) => {
  expect(formatSize(bytes)).toBe(size)
  expect(readSizeBytes(size)).toBe(bytes)
})
