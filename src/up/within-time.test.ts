import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Tools } from '../tools.ts'
import { checkTimeout, withinTime } from './up.ts'

/** Only the signal is used. */
const tools = { signal: new AbortController().signal } as Tools

describe('the timeout of a call', () => {
  test.each([1, 25 * 86_400_000, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])('can be %d ms', (timeoutMs) => {
    expect(checkTimeout(timeoutMs)).toBe(timeoutMs)
  })

  test.each([0, -1, Number.NaN])('cannot be %d ms', (timeoutMs) => {
    expect(() => checkTimeout(timeoutMs)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  test.each([25 * 86_400_000, Number.POSITIVE_INFINITY])('of %d ms does not end it at once', async (timeoutMs) => {
    const work = ({ signal }: Tools) => sleep(50, 'done', { signal })
    expect(await withinTime(timeoutMs, tools, work)).toBe('done')
  })

  test('fails with TIMED_OUT once it is over', async () => {
    const work = ({ signal }: Tools) => sleep(5000, 'done', { signal }).catch(() => Promise.reject(signal.reason))
    await expect(withinTime(20, tools, work)).rejects.toMatchObject({ code: 'TIMED_OUT' })
  })
})
