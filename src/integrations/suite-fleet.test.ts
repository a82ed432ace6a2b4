import { afterEach, expect, test, vi } from 'vitest'
import type { RunningFleet } from '../index.ts'
import { Testfleet, TestfleetError } from './library.ts'
import { isRunnerGone } from './parent.ts'
import { SuiteFleet } from './suite-fleet.ts'
import { TestScope } from './test-scope.ts'
import { UsedFleet } from './use-fleet.ts'

afterEach(() => vi.restoreAllMocks())

const source = { name: 'shop', servers: { db: { image: 'postgres:18' } } }
const inRunner = { runner: process.pid, worker: '1' }
const noTest = (): void => {}

/** Has the library share fleets that run nowhere. */
function shareFakes(): { readonly leave: () => Promise<void>; readonly share: () => unknown } {
  const leave = vi.fn(async () => {})
  const server = (name: string): object => ({ name })
  const share = vi
    .spyOn(Testfleet.prototype, 'share')
    .mockImplementation(async () => ({ leave, server, session: 'shop' }) as unknown as RunningFleet<never>)
  return { leave, share }
}

test('suites of one process share a fleet, and the last to end leaves it', async () => {
  const { leave, share } = shareFakes()
  const [one, other] = [new SuiteFleet(source, {}, inRunner), new SuiteFleet(source, {}, inRunner)]
  expect(await one.fleet()).toBe(await other.fleet())
  await one.end()
  expect(leave).not.toHaveBeenCalled()
  await other.end()
  await other.end()
  expect(leave).toHaveBeenCalledOnce()
  expect(share).toHaveBeenCalledOnce()
})

test('a suite that begins after the end of another one gets no fleet that has been left', async () => {
  const { leave, share } = shareFakes()
  for (let time = 1; time <= 2; time++) {
    const suite = new SuiteFleet(source, {}, inRunner)
    expect(await suite.fixtures(noTest, new TestScope())).toHaveProperty('db')
    expect(share).toHaveBeenCalledTimes(time)
    await suite.end()
    expect(leave).toHaveBeenCalledTimes(time)
  }
})

test('a worker that has outlived its runner starts no fleet, which another process would hold', async () => {
  const { share } = shareFakes()
  const suite = new SuiteFleet(source, {}, { runner: process.ppid + 1, worker: '1' })
  await expect(suite.fleet()).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(share).not.toHaveBeenCalled()
})

test('a runner has ended when process 1, or another, is the parent of its worker, or the channel is closed', async () => {
  const { pid, ppid } = process
  const isGone = (runner: number, other: object): Promise<boolean> =>
    isRunnerGone(runner, { pid, ppid, connected: true, ...other })
  expect(await isGone(ppid, {})).toBe(false)
  expect(await isGone(pid, { ppid: 1 })).toBe(false)
  expect(await isGone(ppid, { ppid: 1 })).toBe(true)
  expect(await isGone(ppid, { connected: false })).toBe(true)
  // The workers of node:test have no channel.
  expect(await isGone(ppid, { connected: undefined })).toBe(false)
  expect(await isGone(ppid, { ppid: 1, connected: undefined })).toBe(true)
  expect(await isGone(1, { ppid: 1, connected: undefined })).toBe(true)
})

test('a worker whose runner ends while the fleet starts leaves the fleet', async () => {
  const { leave, share } = shareFakes()
  const runner = process.ppid
  const start = vi.mocked(share as Testfleet['share']).getMockImplementation() as Testfleet['share']
  vi.mocked(share as Testfleet['share']).mockImplementation(async (...args) => {
    vi.spyOn(process, 'ppid', 'get').mockReturnValue(1)
    return start(...args)
  })
  const suite = new SuiteFleet(source, {}, { runner, worker: '1' })
  await expect(suite.fleet()).rejects.toMatchObject({ code: 'CANCELLED' })
  expect(leave).toHaveBeenCalledOnce()
})

test('a test whose time is up when the fleet is ready does not run any more', async () => {
  shareFakes()
  const suite = new SuiteFleet(source, {}, inRunner)
  const scope = new TestScope()
  const late = suite.fixtures(noTest, scope)
  await scope.end()
  await expect(late).rejects.toMatchObject({ code: 'CANCELLED' })
  await suite.end()
})

test('when a fleet does not start, all other tests of the process fail at once with the same words, and the next run tries again', async () => {
  const { share } = shareFakes()
  const failure = new TestfleetError('READY_TIMEOUT', 'db was not ready', { hint: 'Wait.', output: ['starting'] })
  vi.mocked(share as Testfleet['share']).mockRejectedValueOnce(failure)
  const [suite, ofOtherFile] = [new SuiteFleet(source, {}, inRunner), new SuiteFleet(source, {}, inRunner)]
  await expect(suite.fleet()).rejects.toThrow('db was not ready\n  | starting\nhint: Wait.')
  const message = 'db was not ready; this test did not try to start the fleet again\n  | starting\nhint: Wait.'
  for (const open of [() => suite.fleet(), () => suite.fixtures(noTest, new TestScope()), () => ofOtherFile.fleet()]) {
    const error: Error = await open().then(
      () => expect.fail('it has started'),
      (failed) => failed,
    )
    expect(error).toMatchObject({ code: 'READY_TIMEOUT', message, stack: message })
  }
  expect(share).toHaveBeenCalledOnce()
  await suite.end()
  await ofOtherFile.end()
  expect(await suite.fleet()).toMatchObject({ session: 'shop' })
  expect(share).toHaveBeenCalledTimes(2)
  await suite.end()
})

test('with `per: file`, each file tries to start its own fleet', async () => {
  const start = vi.spyOn(Testfleet.prototype, 'start').mockRejectedValue(new Error('no engine'))
  for (const suite of [1, 2].map(() => new SuiteFleet(source, { per: 'file' }, inRunner)))
    for (let time = 1; time <= 2; time++) await expect(suite.fleet()).rejects.toThrow('no engine')
  expect(start).toHaveBeenCalledTimes(2)
})

test('the failure of a start shows what failed and its hint, and nothing of the library', async () => {
  const { share } = shareFakes()
  const details = { hint: 'Give it a port.', output: ['cannot bind'], cause: new Error('inner') }
  vi.mocked(share as Testfleet['share']).mockRejectedValueOnce(new TestfleetError('SERVER_DIED', 'db ended', details))
  const suite = new SuiteFleet(source, {}, inRunner)
  const error: Error = await suite.fixtures(noTest, new TestScope()).then(
    () => expect.fail('it has started'),
    (failed) => failed,
  )
  expect(error.message).toBe('db ended\n  | cannot bind\nhint: Give it a port.')
  expect(error.stack).toBe(error.message)
  expect(error).toMatchObject({ code: 'SERVER_DIED' })
  expect(error.cause).toBe(undefined)
})

test('with `per: test`, a server that no test has leased is refused, and the shared one is reached by its own name', async () => {
  shareFakes()
  type Hook = () => Promise<void>
  const made: Record<string, Hook> = {}
  const keep = (name: string) => (work: Hook) => void Object.assign(made, { [name]: work })
  const hooks = {
    beforeAll: keep('beforeAll'),
    beforeEach: keep('beforeEach'),
    afterEach: keep('afterEach'),
    afterAll: keep('afterAll'),
  }
  const fleet = new UsedFleet(hooks, { source, options: { per: 'test' }, findPlace: async () => inRunner })
  await made.beforeAll?.()
  const refused = expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('leased') })
  for (const use of [() => fleet.server('db'), () => fleet.exports, () => fleet.environment])
    expect(use).toThrow(refused)
  expect(fleet.running.server('db')).toMatchObject({ name: 'db' })
})
