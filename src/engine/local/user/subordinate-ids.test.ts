import { expect, test } from 'vitest'
import { countIds } from './subordinate-ids.ts'

test('ids belong to a user by name or number, in any number of lines', () => {
  const text = 'me:100000:65536\nother:165536:65536\n1000:300000:10\nme:nonsense\n\nme:1:x'
  expect(countIds(text, 1000, 'me')).toBe(65_546)
  expect(countIds(text, 1000, undefined)).toBe(10)
  expect(countIds(text, 1001, 'nobody')).toBe(0)
})
