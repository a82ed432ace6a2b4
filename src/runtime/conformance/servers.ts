import { describe, expect, test } from 'vitest'
import { readOutput, readUntil } from '../../engine/conformance/harness.ts'
import { label } from '../../model/labels.ts'
import type { Harness, Marks, ServersUnderTest } from './harness.ts'

type Open = () => Harness<ServersUnderTest>

/** The life of a server, whatever runs it. */
export function describeServers(open: Open): void {
  describe('a server', () => {
    test('is created even when its caller is cancelled meanwhile, so that its id is always known', async () => {
      const { runtime, spec } = open()
      const abort = new AbortController()
      const creating = runtime.createServer(spec(), { signal: abort.signal })
      abort.abort(new Error('enough'))
      expect(await runtime.inspectServer(await creating)).toMatchObject({ state: 'created' })
    })

    test('can be waited for, and keeps its log and its exit code after its end', async () => {
      const { runtime, start } = open()
      const { id } = await start({ command: ['sh', '-c', 'echo said; echo loudly >&2; printf end; exit 7'] })
      expect(await runtime.waitServer(id)).toBe(7)
      expect(await runtime.inspectServer(id)).toMatchObject({ id, state: 'exited', exitCode: 7 })
      const output = await readOutput(runtime.readLogs(id, { follow: true }))
      expect(output).toEqual({ stdout: 'said\nend', stderr: 'loudly\n' })
    })

    test('runs commands while it runs', async () => {
      const { runtime, start } = open()
      const server = await start()
      const running = await runtime.exec(server.id, { command: ['sh', '-c', 'echo out; echo err >&2; exit 3'] })
      expect(await readOutput(running.output)).toEqual({ stdout: 'out\n', stderr: 'err\n' })
      expect(await running.exitCode()).toBe(3)
      await runtime.stopServer(server)
      await expect(runtime.exec(server.id, { command: ['true'] })).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    })

    test('can be paused, resumed and killed', async () => {
      const { runtime, start, find } = open()
      const server = await start()
      for (const _ of [1, 2]) await runtime.pauseServer(server.id)
      expect(await find(server.id)).toMatchObject({ state: 'paused' })
      for (const _ of [1, 2]) await runtime.resumeServer(server.id)
      expect(await find(server.id)).toMatchObject({ state: 'running' })
      await runtime.killServer(server.id, 'SIGKILL')
      expect(await runtime.waitServer(server.id)).toBe(137)
      await expect(runtime.killServer(server.id, 'SIGKILL')).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
      await expect(runtime.pauseServer(server.id)).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
      await expect(runtime.resumeServer(server.id)).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    })

    test('has events of its life, under its name, and those of others are left out', async () => {
      const harness = open()
      const { runtime, session, start } = harness
      const sinceMs = Date.now() - 1000
      const named = await start({ labels: { [label.server]: 'web' } })
      await harness.addStranger?.(harness)
      await start()
      await runtime.killServer(named.id, 'SIGKILL')
      await runtime.waitServer(named.id)
      await runtime.removeServer(named)
      const changes: object[] = []
      for await (const change of runtime.followServers(session, { sinceMs, untilMs: Date.now() })) changes.push(change)
      const about = { server: 'web', id: named.id, atMs: expect.any(Number) }
      const kinds = [{ kind: 'created' }, { kind: 'started' }, { kind: 'signalled' }, { kind: 'exited', exitCode: 137 }]
      expect(changes).toEqual(
        [...kinds, { kind: 'removed' }].map((change) => expect.objectContaining({ ...about, ...change })),
      )
    })

    describeEnd(open)
  })
}

const signals = { stopSignal: 'SIGUSR1', labels: { [label.stopSignal]: 'SIGUSR1' } }

/** Takes a moment to obey its stop signal, leaves a mark when it has, and obeys no other signal. */
const slowEnd = [
  'sh',
  '-c',
  'trap "" TERM; trap "sleep 0.5; touch $MARKS/$MARK; exit 5" USR1; echo set; while :; do sleep 0.05; done',
]

function describeEnd(open: Open): void {
  let opening: Promise<Marks> | undefined

  /** Starts a server that leaves a mark at its end, and waits until it handles signals. */
  const startSlow = async (changes: object) => {
    const harness = open()
    const { runtime, name, start } = harness
    opening ??= harness.openMarks(harness)
    const marks = await opening
    const mark = name()
    const environment = { ...marks.spec.environment, MARK: mark }
    const server = await start({ ...marks.spec, command: slowEnd, init: false, environment, ...changes })
    await readUntil(runtime.readLogs(server.id, { follow: true }), 'set')
    return { server, hasEnded: () => marks.has(mark) }
  }

  test('stops by its stop signal within its grace period, and can be started again', async () => {
    const { runtime, find } = open()
    const { server, hasEnded } = await startSlow(signals)
    await runtime.stopServer(server)
    expect(await runtime.inspectServer(server.id)).toMatchObject({ state: 'exited', exitCode: 5 })
    expect(await hasEnded()).toBe(true)
    await runtime.stopServer(await find(server.id))
    await runtime.startServer(server.id)
    expect(await find(server.id)).toMatchObject({ state: 'running' })
  })

  test('that ignores its stop signal is killed at the end of its grace period', async () => {
    const { runtime } = open()
    const labels = { ...signals.labels, [label.stopGrace]: '1000' }
    const { server, hasEnded } = await startSlow({ ...signals, stopSignal: 'SIGTERM', labels })
    await runtime.stopServer(server)
    expect(await runtime.inspectServer(server.id)).toMatchObject({ state: 'exited', exitCode: 137 })
    expect(await hasEnded()).toBe(false)
  })

  test('without a stop signal stops at once', async () => {
    const { runtime } = open()
    const { server, hasEnded } = await startSlow({})
    const startedAt = performance.now()
    await runtime.stopServer(server)
    expect(performance.now() - startedAt).toBeLessThan(5000)
    expect(await runtime.inspectServer(server.id)).toMatchObject({ state: 'exited', exitCode: 137 })
    expect(await hasEnded()).toBe(false)
  })

  for (const [state, changes, obeys] of [
    ['running', signals, true],
    ['paused', signals, true],
    ['running', {}, false],
    ['paused', {}, false],
  ] as const) {
    const how = obeys ? 'gets its stop signal and grace period before' : 'without a stop signal is stopped at once when'
    test(`that is ${state} ${how} it is removed`, async () => {
      const { runtime, find } = open()
      const { server, hasEnded } = await startSlow(changes)
      if (state === 'paused') await runtime.pauseServer(server.id)
      const observed = await find(server.id)
      expect(observed.state).toBe(state)
      await Promise.all([runtime.removeServer(observed), runtime.removeServer(observed)])
      await expect(runtime.inspectServer(server.id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      await runtime.removeServer(observed)
      expect(await hasEnded()).toBe(obeys)
    })
  }
}
