import { expect, test } from 'vitest'
import { takeTurns } from './take-turns.ts'

test('the first task prints at once, and each other task prints as a whole after all tasks before it have ended', () => {
  let text = ''
  const [one, two, three] = takeTurns(3, (more) => {
    text += more
  })
  two?.write('c')
  one?.write('a')
  expect(text).toBe('a')
  three?.write('e')
  three?.end()
  one?.write('b')
  expect(text).toBe('ab')
  one?.end()
  expect(text).toBe('abc')
  two?.write('d')
  expect(text).toBe('abcd')
  two?.end()
  expect(text).toBe('abcde')
})
