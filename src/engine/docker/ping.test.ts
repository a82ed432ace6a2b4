import { expect, test } from 'vitest'
import { shareUntilAborted } from './ping.ts'

function open() {
  const calls: { signal: AbortSignal; done: PromiseWithResolvers<string> }[] = []
  const ask = shareUntilAborted((signal) => {
    const done = Promise.withResolvers<string>()
    calls.push({ signal, done })
    return done.promise
  })
  return { calls, ask }
}

test('one call serves all callers, and its result is kept', async () => {
  const { calls, ask } = open()
  const both = Promise.all([ask(undefined), ask(undefined)])
  calls[0]?.done.resolve('x')
  expect(await both).toEqual(['x', 'x'])
  expect(await ask(undefined)).toBe('x')
  expect(calls).toHaveLength(1)
})

test('a failure is reported to all waiting callers, and forgotten', async () => {
  const { calls, ask } = open()
  const both = Promise.allSettled([ask(undefined), ask(undefined)])
  calls[0]?.done.reject(new Error('no'))
  expect(await both).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
  const again = ask(undefined)
  calls[1]?.done.resolve('yes')
  expect(await again).toBe('yes')
})

test('a caller that aborts does not affect the others; the last one ends the call', async () => {
  const { calls, ask } = open()
  const first = new AbortController()
  const second = new AbortController()
  const both = Promise.allSettled([ask(first.signal), ask(second.signal)])
  first.abort(new Error('one'))
  await Promise.resolve()
  expect(calls[0]?.signal.aborted).toBe(false)
  second.abort(new Error('two'))
  expect(await both).toMatchObject([{ reason: { message: 'one' } }, { reason: { message: 'two' } }])
  expect(calls[0]?.signal.aborted).toBe(true)
  ask(undefined).catch(() => {})
  expect(calls).toHaveLength(2)
})

test('an aborted caller starts nothing', async () => {
  const { calls, ask } = open()
  await expect(ask(AbortSignal.abort(new Error('no')))).rejects.toThrow('no')
  expect(calls).toHaveLength(0)
})
