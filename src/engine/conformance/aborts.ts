import { describe, expect, test } from 'vitest'
import type { CallOptions } from '../engine.ts'
import { type Harness, readOutput } from './harness.ts'

/** Tests aborting methods that wait; builds and pulls have their own tests. */
export function describeAborts(open: () => Harness): void {
  const waiting: Record<string, (id: string, options: CallOptions) => Promise<unknown>> = {
    waitContainer: (id, options) => open().engine.waitContainer(id, options),
    'readLogs with follow': (id, options) => readOutput(open().engine.readLogs(id, { follow: true }, options)),
    'exec without output': async (id, options) =>
      readOutput((await open().engine.exec(id, { command: ['sleep', '60'] }, options)).output),
    'exec with input': async (id, options) =>
      (await open().engine.exec(id, { command: ['cat'], stdin: true }, options)).exitCode(),
    'stopContainer with a long grace period': (id, options) => open().engine.stopContainer(id, 60_000, options),
  }

  describe('an abort', () => {
    let stubborn: Promise<string> | undefined
    test.each(Object.keys(waiting))('makes %s reject at once with its reason', async (verb) => {
      const { engine, start } = open()
      // The container ignores its stop signal.
      stubborn ??= start({ init: false, command: ['sh', '-c', 'trap "" TERM; while :; do sleep 1; done'] })
      const id = await stubborn
      const abort = new AbortController()
      const reason = new Error('enough')
      const settled = expect(waiting[verb]?.(id, { signal: abort.signal })).rejects.toBe(reason)
      await new Promise((resolve) => setTimeout(resolve, 200))
      abort.abort(reason)
      await settled
      // The engine still answers.
      expect((await engine.inspectContainer(id)).state).toBe('running')
    })

    test('before the call sends nothing', async () => {
      const { engine, name, labels } = open()
      const network = name()
      const reason = new Error('enough')
      const creating = engine.createNetwork(
        network,
        { ...labels, never: network },
        { signal: AbortSignal.abort(reason) },
      )
      await expect(creating).rejects.toBe(reason)
      expect(await engine.listNetworks({ never: network })).toEqual([])
    })

    test('does not affect a reader that has stopped reading', async () => {
      const { engine, start } = open()
      const id = await start({ command: ['sh', '-c', 'while :; do echo line; done'] })
      for await (const _ of engine.readLogs(id, { follow: true })) break
      await engine.removeContainer(id)
    })
  })
}
