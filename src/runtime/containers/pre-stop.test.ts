import { packTar } from 'modern-tar'
import { expect, test } from 'vitest'
import type { CallOptions, Engine, ExecRequest } from '../../engine/engine.ts'
import { TestfleetError } from '../../model/failures.ts'
import { formatPreStop, type Hook } from '../../model/hook.ts'
import { label } from '../../model/labels.ts'
import { type PreStopFailure, stopTimeOf } from '../runtime.ts'
import { openContainers } from './open-containers.ts'

const hook = (command: string, more: Partial<Hook> = {}): Hook => ({
  command: [command],
  user: undefined,
  workingDir: undefined,
  environment: {},
  timeoutMs: 60_000,
  ...more,
})

const labelled = (hooks: readonly Hook[], more: Readonly<Record<string, string>> = {}) => ({
  [label.change]: 'c1',
  [label.preStop]: formatPreStop(hooks, 'c1'),
  ...more,
})

/**
 * Removes a server with these commands, and records the requests to the engine. `answers` are the results of its
 * commands.
 */
async function remove(
  hooks: readonly Hook[],
  answers: Readonly<Record<string, number | Error | 'hangs'>>,
  { state = 'running', options = {} }: { state?: 'running' | 'paused' | 'exited'; options?: CallOptions } = {},
) {
  const calls: string[] = []
  const requests: ExecRequest[] = []
  const failures: PreStopFailure[] = []
  const engine = {
    async exec(_: string, request: ExecRequest, { signal }: CallOptions) {
      const [program = ''] = request.command
      calls.push(program)
      requests.push(request)
      const answer = answers[program] ?? 0
      if (answer instanceof Error) throw answer
      if (answer === 'hangs')
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
      const output = (async function* () {
        yield { stream: 'stdout', bytes: Buffer.from('first\nlast S3CRET\n') }
      })()
      return { output, exitCode: async () => answer }
    },
    getArchive: async () => packTar([{ header: { name: 'secrets/S', size: 6, type: 'file' }, body: 'S3CRET' }]),
    inspectContainer: async () => ({ state }),
    stopContainer: async () => void calls.push('STOP'),
    removeContainer: async () => void calls.push('REMOVE'),
  } as unknown as Engine
  const runtime = openContainers(engine, { onPreStopFailed: (_, failure) => failures.push(failure) })
  const server = { id: 'a', labels: labelled(hooks, { [label.stopSignal]: 'SIGTERM' }), state }
  await runtime.removeServer(server, options)
  return { calls, requests, failures }
}

test('commands run in order before a server is stopped and removed', async () => {
  const secret = { A: { kind: 'secret', secret: 'S' } } as const
  const { calls, requests, failures } = await remove([hook('a', { user: 'pg', environment: secret }), hook('b')], {})
  expect(calls).toEqual(['a', 'b', 'STOP', 'REMOVE'])
  expect(requests).toEqual([
    { command: ['a'], user: 'pg', environment: { A: 'S3CRET' } },
    { command: ['b'], environment: {} },
  ])
  expect(failures).toEqual([])
})

test.each([
  [3, { why: 'failed with exit code 3', output: ['first', 'last S3CRET'], secrets: ['S3CRET'] }],
  [new TestfleetError('COMMAND_NOT_FOUND', 'there is no program a'), { why: 'failed: there is no program a' }],
  ['hangs', { why: 'did not end within 0.0 s', output: [] }],
] as const)('a command that fails (%s) is reported, and the server is removed anyway', async (answer, told) => {
  const limit = answer === 'hangs' ? { timeoutMs: 10 } : {}
  const { calls, failures } = await remove([hook('a', limit), hook('b')], { a: answer })
  expect(calls).toEqual(['a', 'STOP', 'REMOVE'])
  expect(failures).toEqual([expect.objectContaining({ number: 1, ...told })])
})

test.each(['paused', 'exited'] as const)('no command runs in a server that is %s', async (state) => {
  const { calls } = await remove([hook('a')], {}, { state })
  expect(calls).toEqual(state === 'paused' ? ['STOP', 'REMOVE'] : ['REMOVE'])
})

test('a removal that is cancelled while a command runs rejects with the reason', async () => {
  const controller = new AbortController()
  const removing = remove([hook('a')], { a: 'hangs' }, { options: { signal: controller.signal } })
  setTimeout(() => controller.abort(new Error('enough')), 5)
  await expect(removing).rejects.toThrow('enough')
})

test('the time for commands is added to the grace period', () => {
  const hooks = [hook('a', { timeoutMs: 1000 }), hook('b', { timeoutMs: 500 })]
  expect(stopTimeOf({ labels: labelled(hooks) })).toBe(1500)
  expect(stopTimeOf({ labels: labelled(hooks, { [label.stopGrace]: '2000' }) })).toBe(3500)
})
