import { expect, test } from 'vitest'
import { readFields } from './buildkit-log.ts'

const read = (...bytes: number[]) => [...readFields(Buffer.from(bytes))]

test('numbers, texts and messages are read in order', () => {
  // 1: 150 · 2: "hi" · 20: 1
  expect(read(0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69, 0xa0, 0x01, 0x01)).toEqual([
    { number: 1, kind: 'varint', value: 150 },
    { number: 2, kind: 'bytes', bytes: Buffer.from('hi') },
    { number: 20, kind: 'varint', value: 1 },
  ])
})

test('numbers of more than 32 bits are read', () => {
  expect(read(0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f)).toEqual([{ number: 1, kind: 'varint', value: 2 ** 39 - 1 }])
})

test('fields of fixed width are skipped', () => {
  expect(read(0x09, 1, 2, 3, 4, 5, 6, 7, 8, 0x15, 1, 2, 3, 4, 0x18, 0x07)).toEqual([
    { number: 3, kind: 'varint', value: 7 },
  ])
})

test('an empty message has no fields', () => {
  expect(read()).toEqual([])
})

test.each([
  ['a truncated text', [0x0a, 0x05, 0x61]],
  ['a truncated number', [0x08, 0x96]],
  ['an endless number', [0x08, ...Array(12).fill(0xff)]],
  ['a huge length', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ['an unknown type', [0x0b]],
  ['a truncated fixed width', [0x09, 1]],
])('%s throws a RangeError', (_, bytes) => {
  expect(() => read(...bytes)).toThrow(RangeError)
})
