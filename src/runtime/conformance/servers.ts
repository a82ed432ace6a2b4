import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { collect, pack, readOutput, readUntil, unpack } from '../../engine/conformance/harness.ts'
import { label } from '../../model/labels.ts'
import type { Harness } from './harness.ts'

export function describeServers(open: () => Harness): void {
  describe('a server', () => {
    test('of an image that does not exist fails with IMAGE_NOT_FOUND', async () => {
      const { runtime, spec } = open()
      const creating = runtime.createServer(spec({ image: 'testfleet/nowhere:1' }))
      await expect(creating).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
    })

    test('is created even when its caller is cancelled meanwhile, so that its id is always known', async () => {
      const { runtime, spec } = open()
      const abort = new AbortController()
      const creating = runtime.createServer(spec(), { signal: abort.signal })
      abort.abort(new Error('enough'))
      expect(await runtime.inspectServer(await creating)).toMatchObject({ state: 'created' })
    })

    test('gets files before it starts, can be waited for, and keeps its log and files after its end', async () => {
      const { runtime, spec } = open()
      const command = ['sh', '-c', 'cat /etc/greeting; echo said >&2; echo left > /tmp/left; exit 7']
      const id = await runtime.createServer(spec({ command }))
      await runtime.deliver(id, '/etc', await pack({ greeting: 'hello\n' }))
      await runtime.startServer(id)
      expect(await runtime.waitServer(id)).toBe(7)
      expect(await runtime.inspectServer(id)).toMatchObject({ id, state: 'exited', exitCode: 7 })
      const output = await readOutput(runtime.readLogs(id, { follow: false }))
      expect(output).toEqual({ stdout: 'hello\n', stderr: 'said\n' })
      const { left } = await unpack(await runtime.fetch(id, '/tmp/left', 10_000))
      expect(left?.toString()).toBe('left\n')
      await expect(runtime.fetch(id, '/no/such', 10_000)).rejects.toMatchObject({ code: 'NOT_FOUND' })
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

    test('can be paused, resumed and killed, and files can be copied in and out while it is paused', async () => {
      const { runtime, start, find } = open()
      const server = await start()
      await runtime.pauseServer(server.id)
      expect(await find(server.id)).toMatchObject({ state: 'paused' })
      await runtime.deliver(server.id, '/etc', Readable.from([await pack({ note: 'hello' })]))
      const { note } = await unpack(await collect(runtime.readArchive(server.id, '/etc/note')))
      expect(note?.toString()).toBe('hello')
      expect(await runtime.statPath(server.id, '/etc/note')).toEqual({ kind: 'file' })
      await runtime.resumeServer(server.id)
      expect(await find(server.id)).toMatchObject({ state: 'running' })
      await runtime.killServer(server.id, 'SIGKILL')
      expect(await runtime.waitServer(server.id)).toBe(137)
      await expect(runtime.killServer(server.id, 'SIGKILL')).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    })

    test('has events of its life, under its name, and those of others are left out', async () => {
      const { runtime, session, spec, start } = open()
      const sinceMs = Date.now() - 1000
      const named = await start({ labels: { [label.server]: 'web' } })
      // An image can carry any label: the name of its container does not end with the id of the change.
      const labels = { [label.server]: 'web', [label.change]: 'another' }
      const foreign = await runtime.createServer(spec({ labels }))
      await runtime.removeServer({ id: foreign, labels: {}, state: 'created' })
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

    test('can be reached at its published port, and found by it', async () => {
      const { runtime, start, sharesLoopback } = open()
      const port = { container: 8080, protocol: 'tcp', host: undefined, address: '127.0.0.1' } as const
      const server = await start({ ports: [port] })
      const { ip, isRemote, endpoints, published, direct } = runtime.reach(server, [port])
      expect(ip).toMatch(/^[\d.]+$/)
      expect(isRemote).toBe(runtime.location.remoteHost !== undefined)
      const endpoint = published(8080)
      expect([...endpoints]).toEqual([['8080/tcp', endpoint]])
      if (sharesLoopback) expect(endpoint).toEqual({ host: '127.0.0.1', port: expect.any(Number) })
      expect(published(8080, 'udp')).toBeUndefined()
      expect(direct(8080) ?? { host: ip, port: 8080 }).toEqual({ host: ip, port: 8080 })
      expect(await runtime.findPublisher(endpoint?.port ?? 0)).toMatchObject({ id: server.id })
      const failing = await runtime.createServer(open().spec({ ports: [{ ...port, host: endpoint?.port }] }))
      await expect(runtime.startServer(failing)).rejects.toMatchObject({ code: 'PORT_TAKEN' })
      await runtime.removeServer(server)
      expect(await runtime.findPublisher(endpoint?.port ?? 0)).toBeUndefined()
    })

    describeEnd(open)
  })
}

const signals = { stopSignal: 'SIGUSR1', labels: { [label.stopSignal]: 'SIGUSR1' } }

/** Takes a moment to obey its stop signal, leaves a mark when it has, and obeys no other signal. */
const slowEnd = [
  'sh',
  '-c',
  'trap "" TERM; trap "sleep 0.5; touch /data/$MARK; exit 5" USR1; echo set; while :; do sleep 0.05; done',
]

function describeEnd(open: () => Harness): void {
  let looking: ReturnType<typeof startLooker> | undefined
  /** Starts a server that sees the marks of all others. */
  const startLooker = async () => {
    const { runtime, labels, name, start } = open()
    const volume = name()
    await runtime.createVolume(volume, labels)
    const mounts = [{ kind: 'volume', volume, to: '/data', writable: true }] as const
    return { looker: await start({ mounts }), mounts }
  }

  /** Starts a server with the volume of the marks, and waits until it handles signals. */
  const startSlow = async (changes: object) => {
    const { runtime, name, start } = open()
    looking ??= startLooker()
    const { looker, mounts } = await looking
    const mark = name()
    const server = await start({ command: slowEnd, init: false, mounts, environment: { MARK: mark }, ...changes })
    await readUntil(runtime.readLogs(server.id, { follow: true }), 'set')
    const hasEnded = async (): Promise<boolean> =>
      (await (await runtime.exec(looker.id, { command: ['test', '-e', `/data/${mark}`] })).exitCode()) === 0
    return { server, hasEnded }
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
