import { expect, test } from 'vitest'
import { noteLater } from './note-later.ts'

test('work that takes longer than a moment says what it does', async () => {
  const slow = Promise.withResolvers<number>()
  const noted = noteLater(
    'waiting',
    (event) => slow.resolve(event.kind === 'noted' ? event.message.length : 0),
    slow.promise,
    1,
  )
  expect(await noted).toBe(7)
  const quick = noteLater('waiting', () => expect.unreachable(), Promise.reject(new Error('refused')), 1)
  await expect(quick).rejects.toThrow('refused')
  await new Promise((resolve) => setTimeout(resolve, 5))
})
