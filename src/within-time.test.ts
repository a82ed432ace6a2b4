import { expect, test } from 'vitest'
import type { Tools } from './tools.ts'
import { withinTime } from './within-time.ts'

const tools = { signal: new AbortController().signal } as Tools

/** Ends after a while, or as soon as its signal fires. */
function work({ signal }: Tools): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, 50, 'done')
    signal.addEventListener('abort', () => {
      clearTimeout(timer)
      reject(signal.reason)
    })
  })
}

test.each([60_000, 2 ** 31 - 1, Number.POSITIVE_INFINITY])('work has time for %d ms', async (timeoutMs) => {
  expect(await withinTime(timeoutMs, tools, work)).toBe('done')
})

test.each([0, -1, Number.NaN, 2 ** 31])('a timeout of %d ms is refused before the work begins', async (timeoutMs) => {
  let hasBegun = false
  const begin = async (): Promise<void> => {
    hasBegun = true
  }
  await expect(withinTime(timeoutMs, tools, begin)).rejects.toMatchObject({ code: 'USAGE' })
  expect(hasBegun).toBe(false)
})

test('work that takes longer is ended, and the failure names no option of the command', async () => {
  const failure = await withinTime(5, tools, work).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'TIMED_OUT', message: 'it was not done within 0.005 s' })
  expect((failure as { hint: string }).hint).not.toContain('--')
})
