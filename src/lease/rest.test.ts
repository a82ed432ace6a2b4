import { expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Tools } from '../tools.ts'
import { Rest } from './rest.ts'

/** Containers in memory. Those that have ended cannot be paused. */
function containers() {
  const paused = new Set<string>()
  const ended = new Set<string>()
  const engine = { canPause: true, answers: true, calls: 0 }
  const runtime = {
    async inspectServer(id: string) {
      if (paused.has(id)) return { state: 'paused' }
      return { state: ended.has(id) ? 'exited' : 'running' }
    },
    async pauseServer(id: string) {
      engine.calls += 1
      if (!engine.canPause) throw new TestfleetError('ENGINE_REFUSED', 'no freezer')
      if (ended.has(id)) throw new TestfleetError('ENGINE_REFUSED', 'it has ended')
      if (!engine.answers) throw new TestfleetError('ENGINE_LOST', 'no answer')
      paused.add(id)
    },
    resumeServer: async (id: string) => void paused.delete(id),
  }
  const tools = { runtime, signal: new AbortController().signal } as unknown as Tools
  return { tools, paused, ended, engine }
}

test('a container that is paused is resumed for its lease, and one that was just given back is not paused', async () => {
  const { tools, paused, engine } = containers()
  const rest = new Rest(true, tools, 60_000)
  await rest.begin('a')
  expect([...paused]).toEqual(['a'])
  expect(await rest.wake('a')).toBe(true)
  expect([...paused]).toEqual([])
  rest.beginLater('a')
  expect(await rest.wake('a')).toBe(false)
  expect(engine.calls).toBe(1)
})

test('a container that nobody uses for a while is paused, unless it is of no use any more', async () => {
  const { tools, paused, ended } = containers()
  const rest = new Rest(true, tools, 1)
  for (const id of ['a', 'b', 'c']) rest.beginLater(id)
  rest.forget('b')
  ended.add('c')
  await eventually(() => expect([...paused]).toEqual(['a']))
  expect(await rest.wake('a')).toBe(true)
  await expect(rest.wake('c')).rejects.toThrow('it has ended')
  expect(rest.problem).toBeUndefined()
})

test('an engine that cannot pause is asked once', async () => {
  const { tools, engine } = containers()
  engine.canPause = false
  const rest = new Rest(true, tools, 1)
  await rest.begin('a')
  await rest.begin('b')
  expect(await rest.wake('a')).toBe(false)
  expect(engine.calls).toBe(1)
  expect(rest.problem).toBe('the copies run, because the engine cannot pause them: no freezer')
})

test('an engine that did not answer once is asked again, and what it may have paused is resumed', async () => {
  const { tools, paused, engine } = containers()
  const rest = new Rest(true, tools, 1)
  engine.answers = false
  await rest.begin('a')
  expect(rest.problem).toBeUndefined()
  // It pauses them all the same: one later, one at once.
  for (const id of ['a', 'b']) paused.add(id)
  await rest.begin('b')
  for (const id of ['a', 'b']) expect(await rest.wake(id)).toBe(true)
  expect([...paused]).toEqual([])
  engine.answers = true
  await rest.begin('a')
  expect([...paused]).toEqual(['a'])
})

test('nothing is paused where copies are to run', async () => {
  const { tools, engine } = containers()
  const rest = new Rest(false, tools, 1)
  await rest.begin('a')
  rest.beginLater('b')
  expect(await rest.wake('a')).toBe(false)
  expect(engine.calls).toBe(0)
})
