import { expect, test } from 'vitest'
import { addToStack } from './add-to-stack.ts'

const stories = [{ server: 'web', lines: ['12:00:00.000 got a request'], leftOut: 0 }]

test('what servers did follows the stack of a failure', () => {
  const error = new Error('on purpose')
  const { stack } = error
  expect(addToStack(error, stories)).toBeUndefined()
  expect(error.stack).toBe(`${stack}\n\nservers during this test:\nweb:\n  12:00:00.000 got a request`)
  addToStack(error, [])
  expect(error.stack).toMatch(/got a request$/)
})

test('what servers did is left over when a text was thrown', () => {
  expect(addToStack('on purpose', stories)).toMatch(/^servers during this test:\nweb:/)
  expect(addToStack('on purpose', [])).toBeUndefined()
})
