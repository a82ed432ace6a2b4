import { expect, test } from 'vitest'
import { openPattern } from './match-pattern.ts'

const endless = `${'a'.repeat(50)}!`

test('a pattern is found in one of the lines, or in none', async () => {
  await using pattern = await openPattern('^b+$', AbortSignal.timeout(4000), () => {})
  expect(await pattern.isInOneOf(['a', 'bb'])).toBe(true)
  expect(await pattern.isInOneOf(['a', 'ab'])).toBe(false)
  expect(await pattern.isInOneOf([])).toBe(false)
})

test.each(['(a+)+$', '(.*)*x'])('what takes for ever on a line, as %s, ends with its signal', async (source) => {
  const stop = new AbortController()
  const told: string[] = []
  let isRunning = false
  const tell = (answer: string): void => {
    if (!isRunning) return
    told.push(answer)
    stop.abort(new Error('enough'))
  }
  const pattern = await openPattern(source, stop.signal, tell, 400)
  // The start of the thread takes time too, which is not what this test measures.
  isRunning = !(await pattern.isInOneOf([]))
  await expect(pattern.isInOneOf(['short', endless, 'later'])).rejects.toThrow('enough')
  await pattern[Symbol.asyncDispose]()
  expect(told).toEqual([expect.stringContaining(`does not come to an end on the line "${endless}"`)])
})

test('nothing is asked once the signal has fired', async () => {
  await using pattern = await openPattern('a', AbortSignal.abort(new Error('over')), () => {})
  await expect(pattern.isInOneOf(['a'])).rejects.toThrow('over')
})
