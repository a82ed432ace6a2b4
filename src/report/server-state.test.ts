import { expect, test } from 'vitest'
import type { ContainerDetails } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import type { ReadyCheck } from '../model/fleet.ts'
import { readLife } from './server-state.ts'

const signal = new AbortController().signal
const runtimeOf = (details: Partial<ContainerDetails> | Error) => ({
  async inspectServer() {
    if (details instanceof Error) throw details
    return { state: 'exited', ...details } as ContainerDetails
  },
})
const exit = (code: number): ReadyCheck[] => [{ kind: 'exit', code } as ReadyCheck]
const read = (details: Partial<ContainerDetails> | Error, ready: ReadyCheck[] = []) =>
  readLife({ id: 'c', state: 'exited' }, { ready }, runtimeOf(details), { signal })

test('an ended server is completed only when its exit check demands that exit code', async () => {
  expect(await read({ exitCode: 0 })).toEqual({ state: 'exited', exitCode: 0, isOutOfMemory: false })
  expect(await read({ exitCode: 0 }, exit(0))).toMatchObject({ state: 'completed', exitCode: 0 })
  expect(await read({ exitCode: 3 }, exit(0))).toMatchObject({ state: 'exited', exitCode: 3 })
  expect(await read({ exitCode: 3 }, exit(3))).toMatchObject({ state: 'completed', exitCode: 3 })
})

test('out of memory is reported, and a server that is removed in the meantime counts as exited', async () => {
  expect(await read({ exitCode: 137, isOutOfMemory: true })).toMatchObject({ isOutOfMemory: true })
  expect(await read(new TestfleetError('NOT_FOUND', 'gone'), exit(0))).toMatchObject({ state: 'exited' })
  await expect(read(new TestfleetError('ENGINE_LOST', 'lost'))).rejects.toMatchObject({ code: 'ENGINE_LOST' })
})

test('a server that waits to be restarted has ended, with its exit code', async () => {
  const waiting = { id: 'c', state: 'running', isRestarting: true } as const
  const details = runtimeOf({ state: 'running', isRestarting: true, exitCode: 1 })
  const ended = { state: 'exited', exitCode: 1, isOutOfMemory: false }
  expect(await readLife(waiting, { ready: exit(1) }, details, { signal })).toEqual(ended)
})

test('a server that has not ended is not inspected', async () => {
  for (const state of ['running', 'paused', 'created'] as const) {
    expect(await readLife({ id: 'c', state }, { ready: [] }, runtimeOf(new Error('asked')), { signal })).toEqual({
      state,
    })
  }
})
