import { expect, test, vi } from 'vitest'
import { type Behaviour, hook, programTools, targetOf } from '../../tests/support/fake-program.ts'
import { TestfleetError } from '../model/failures.ts'
import type { ResetStep } from '../model/lending.ts'
import { openReset, runReset } from './reset.ts'

const exec = (command: string, more: object = {}): ResetStep => ({ kind: 'exec', ...hook([command]), ...more })
const line = (send: string, more: object = {}): ResetStep => ({
  ...{ kind: 'console', send: `${send}\n`, expect: 'OK', fail: 'ERR' },
  ...hook(['shell']),
  ...more,
})
const succeeds: Behaviour = { onStart: ({ end }) => end(0) }
const shell: Behaviour = { onLine: (text, { print }) => print(text === 'bad' ? 'ERR unknown\n' : 'OK\n') }

test('a reset runs its steps in order, then postStart, and keeps its console open', async () => {
  const { tools, started, ended } = programTools({ shell, wipe: succeeds, seed: succeeds })
  const steps = [line('flush'), exec('wipe', { environment: { A: { kind: 'text', text: '1' } } }), line('again')]
  const reset = openReset(targetOf({ isolation: 'reset', reset: steps, postStart: [hook(['seed'])] }), tools)
  await reset.run()
  await reset.run()
  expect(started.map(({ command }) => command[0])).toEqual(['shell', 'wipe', 'seed', 'wipe', 'seed'])
  expect(started[1]?.environment).toEqual({ A: '1' })
  expect(ended).not.toContain('shell')
  await reset.close()
  expect(ended.at(-1)).toBe('shell')
})

test('steps have the variables of exec, and steps for other users have other consoles', async () => {
  const { tools, started } = programTools({ shell })
  const target = targetOf({ isolation: 'reset', reset: [line('a'), line('b', { user: 'root' }), line('c')] })
  const execEnvironment = { PGUSER: { kind: 'text', text: 'pg' } } as const
  await runReset({ ...target, spec: { ...target.spec, execEnvironment } }, tools)
  expect(started).toMatchObject([{ environment: { PGUSER: 'pg' } }, { user: 'root' }])
})

test('a reset waits until the server is ready between its steps and postStart', async () => {
  const { tools, started } = programTools({ wipe: succeeds, seed: succeeds })
  const target = targetOf({ isolation: 'reset', reset: [exec('wipe')], postStart: [hook(['seed'])] })
  const readyAfter: (string | undefined)[][] = []
  await runReset(
    { ...target, awaitReady: async () => void readyAfter.push(started.map((one) => one.command[0])) },
    tools,
  )
  expect(readyAfter).toEqual([['wipe']])
  const awaitReady = () => Promise.reject(new TestfleetError('READY_TIMEOUT', 'db is not ready'))
  await expect(runReset({ ...target, awaitReady }, tools)).rejects.toMatchObject({
    ...{ code: 'RESET_FAILED', message: 'db: `reset` was done, but it is not ready again: db is not ready' },
  })
})

test('a reset waits for the ready checks unless every step leaves the program running', async () => {
  const { tools } = programTools({ shell, wipe: succeeds })
  const runs = { restarts: false } as const
  const isAwaited = async (...reset: ResetStep[]): Promise<boolean> => {
    const awaitReady = vi.fn(async () => {})
    await runReset({ ...targetOf({ isolation: 'reset', reset }), awaitReady }, tools)
    return awaitReady.mock.calls.length > 0
  }
  expect(await isAwaited(line('flush', runs), exec('wipe', runs))).toBe(false)
  expect(await isAwaited(line('flush', runs), exec('wipe'))).toBe(true)
})

test('an empty recipe does nothing', async () => {
  const { tools, started } = programTools({})
  await runReset(targetOf({ isolation: 'reset', reset: [] }), tools)
  expect(started).toEqual([])
})

test.each([
  [[exec('fail')], 'db: step 1 of `reset`, `fail`, failed with exit code 4', ['no such table']],
  [[exec('wipe'), line('bad')], 'db: step 2 of `reset`, `shell`, answered `ERR`', ['ERR unknown']],
  [[exec('hang', { timeoutMs: 60 })], 'db: step 1 of `reset`, `hang`, was not done within 0.1 s', []],
  [[exec('none')], 'db: step 1 of `reset`, `none`, cannot be done: there is no program none', []],
  [[line('x', { expect: 'YES', timeoutMs: 60 })], 'db: step 1 of `reset`, `shell`, was not done within 0.1 s', ['OK']],
] as const)('a step that fails or hangs fails the reset (case %#)', async (reset, message, output) => {
  const onStart: Behaviour['onStart'] = ({ print, end }) => {
    print('no such table\n', 'stderr')
    end(4)
  }
  const { tools } = programTools({ shell, wipe: succeeds, fail: { onStart }, hang: {} })
  await expect(runReset(targetOf({ isolation: 'reset', reset }), tools)).rejects.toMatchObject({
    ...{ code: 'RESET_FAILED', server: 'db', message, output },
  })
})

test('a postStart command that fails after the steps fails the reset', async () => {
  const { tools } = programTools({ seed: { onStart: ({ end }) => end(1) } })
  await expect(
    runReset(targetOf({ isolation: 'reset', reset: [], postStart: [hook(['seed'])] }), tools),
  ).rejects.toThrow('db: the postStart command `seed`, run again after `reset`, failed with exit code 1')
})

test('a server without a recipe cannot be reset', async () => {
  const { tools } = programTools({})
  await expect(runReset(targetOf({ isolation: 'container' }), tools)).rejects.toThrow('db has no steps in `reset`')
})
