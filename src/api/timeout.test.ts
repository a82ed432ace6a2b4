import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { openLimit, readTimeout, withTimeout } from './timeout.ts'

const given = { signal: new AbortController().signal }
const daysMs = 86_400_000

describe('the time limit of a call', () => {
  test.each([1, 25 * daysMs, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])('can be %d ms', (timeoutMs) => {
    expect(readTimeout(timeoutMs, 5)).toBe(timeoutMs)
  })

  test('is none for 0 ms, and the default without a number', () => {
    expect(readTimeout(0, 5)).toBe(Number.POSITIVE_INFINITY)
    expect(readTimeout(undefined, 5)).toBe(5)
  })

  test.each([-1, Number.NaN, Number.NEGATIVE_INFINITY, '30s', null])('cannot be %s', (timeoutMs) => {
    expect(() => readTimeout(timeoutMs as number, 5)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  test.each([25 * daysMs, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY])(
    'of %d ms does not end the call at once',
    async (timeoutMs) => {
      const work = ({ signal }: typeof given) => sleep(50, 'done', { signal })
      expect(await withTimeout(timeoutMs, given, work)).toBe('done')
    },
  )

  test('makes a call fail with TIMED_OUT', async () => {
    const work = ({ signal }: typeof given) =>
      sleep(5000, 'done', { signal }).catch(() => Promise.reject(signal.reason))
    await expect(withTimeout(20, given, work)).rejects.toMatchObject({ code: 'TIMED_OUT' })
  })

  test('does not replace the reason of a signal that fires first', async () => {
    const reason = new Error('enough')
    using limit = openLimit(daysMs, { signal: AbortSignal.abort(reason) })
    expect(limit.signal.reason).toBe(reason)
  })
})
