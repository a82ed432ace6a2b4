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

test('one call serves all, and its result is kept', async () => {
  const { calls, ask } = open()
  const both = Promise.all([ask(undefined), ask(undefined)])
  calls[0]?.done.resolve('x')
  expect(await both).toEqual(['x', 'x'])
  expect(await ask(undefined)).toBe('x')
  expect(calls).toHaveLength(1)
})

test('a failure is told to all who waited, and forgotten', async () => {
  const { calls, ask } = open()
  const both = Promise.allSettled([ask(undefined), ask(undefined)])
  calls[0]?.done.reject(new Error('no'))
  expect(await both).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }])
  const again = ask(undefined)
  calls[1]?.done.resolve('yes')
  expect(await again).toBe('yes')
})

test('who leaves does not take the others along; the last one ends the call', async () => {
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

test('who has left already starts nothing', async () => {
  const { calls, ask } = open()
  await expect(ask(AbortSignal.abort(new Error('no')))).rejects.toThrow('no')
  expect(calls).toHaveLength(0)
})
