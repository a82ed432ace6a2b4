import { hash } from 'node:crypto'
import { expect, test } from 'vitest'
import { contentTimeS } from './content-time.ts'

const timeOf = (text: string): number => contentTimeS(hash('sha256', text))

test('different contents have different times, from 1980 to 2013', () => {
  const times = Array.from({ length: 1000 }, (_, index) => timeOf(`text ${index}`))
  expect(new Set(times).size).toBe(1000)
  for (const time of times) expect(new Date(time * 1000).getUTCFullYear()).toBeOneOf(range(1980, 2014))
  expect(contentTimeS('0'.repeat(64))).toBe(Date.UTC(1980, 0, 1) / 1000)
  expect(new Date(contentTimeS('f'.repeat(64)) * 1000).toISOString()).toBe('2014-01-09T13:37:03.000Z')
})

test('the same content has the same time', () => {
  expect(timeOf('one 1')).toBe(timeOf('one 1'))
})

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index)
}
