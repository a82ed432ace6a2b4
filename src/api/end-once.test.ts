import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { EndOnce } from './end-once.ts'

const anHour = async (): Promise<number> => 3_600_000

test('concurrent callers share one run of the work', async () => {
  const end = new EndOnce()
  let count = 0
  const work = async (): Promise<void> => {
    count += 1
  }
  await Promise.all([end.run(work, {}, anHour), end.run(work, {}, anHour)])
  await end.run(work, {}, anHour)
  expect(count).toBe(1)
})

test('work that failed is started again', async () => {
  const end = new EndOnce()
  let count = 0
  const work = async (): Promise<void> => {
    count += 1
    if (count === 1) throw new Error('once')
  }
  await expect(end.run(work, {}, anHour)).rejects.toThrow('once')
  await end.run(work, {}, anHour)
  expect(count).toBe(2)
})

test('work that takes too long fails with TIMED_OUT, and can be tried again', async () => {
  const end = new EndOnce()
  const slow = (signal: AbortSignal): Promise<void> => sleep(60_000, undefined, { signal })
  await expect(end.run(slow, { timeoutMs: 10 }, anHour)).rejects.toMatchObject({ code: 'TIMED_OUT' })
  await end.run(async () => {}, { timeoutMs: 0 }, anHour)
})

test('a call that waits for another one has its own time limit', async () => {
  const end = new EndOnce()
  const reason = new Error('enough')
  const first = end.run((signal) => sleep(100, undefined, { signal }), { timeoutMs: 60_000 }, anHour)
  await expect(end.run(async () => {}, { timeoutMs: 10 }, anHour)).rejects.toMatchObject({ code: 'TIMED_OUT' })
  await expect(end.run(async () => {}, { signal: AbortSignal.abort(reason) }, anHour)).rejects.toBe(reason)
  await first
})

test('a call that waits for another one goes on when the limit of the other one is over', async () => {
  const end = new EndOnce()
  const reason = new Error('enough')
  const stop = new AbortController()
  const first = end.run((signal) => sleep(60_000, undefined, { signal }), { signal: stop.signal }, anHour)
  const second = end.run(async () => {}, {}, anHour)
  await Promise.resolve()
  expect(end.isDone).toBe(false)
  stop.abort(reason)
  await expect(first).rejects.toBe(reason)
  await second
  expect(end.isDone).toBe(true)
})
