import { describe, expect, test } from 'vitest'
import {
  bitString,
  integer,
  objectIdentifier,
  octetString,
  readInteger,
  readValue,
  readValues,
  sequence,
  tagged,
  tags,
} from './ber.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('values are written with as few bytes as possible', () => {
  test.each([
    [0, '020100'],
    [127, '02017f'],
    [128, '02020080'],
    [255, '020200ff'],
    [256, '02020100'],
    [0x7fffffff, '02047fffffff'],
  ])('the number %i', (value, bytes) => {
    expect(hex(integer(value))).toBe(bytes)
    expect(readInteger(readValue(integer(value)))).toBe(value)
  })

  test.each([
    [0, '0400'],
    [127, '047f'],
    [128, '048180'],
    [256, '04820100'],
    [70_000, '0483011170'],
  ])('a length of %i', (length, start) => {
    const bytes = octetString(Buffer.alloc(length))
    expect(hex(bytes.subarray(0, bytes.length - length))).toBe(start)
    expect(readValue(bytes)?.content.length).toBe(length)
  })

  test('a long number, an identifier, bits, and a sequence', () => {
    expect(hex(integer(Buffer.from('0000ff01', 'hex')))).toBe('020300ff01')
    expect(hex(objectIdentifier('1.2.840.10045.4.3.2'))).toBe('06082a8648ce3d040302')
    expect(hex(bitString(Buffer.from([0xa0]), 5))).toBe('030205a0')
    expect(hex(sequence(octetString('a'), tagged(tags.null)))).toBe('30050401610500')
  })
})

test.each(['', '30', '3080', '300201', '308500000000010000', '3082'])('%j is an incomplete value', (text) => {
  expect(readValue(Buffer.from(text, 'hex'))).toBeUndefined()
})

test('consecutive values are read up to the first incomplete one', () => {
  expect(readValues(Buffer.from('0101ff0201050402', 'hex')).map(({ tag }) => tag)).toEqual([1, 2])
})
