import { describe, expect, test, vi } from 'vitest'
import type { ContainerEvent } from '../../model/container-event.ts'
import { type Harness, readUntil } from './harness.ts'

export function describeContainers(open: () => Harness): void {
  describe('a container', () => {
    describeLife(open)
    describeListing(open)
    describeWaiting(open)
    describeEvents(open)
  })
}

function describeLife(open: () => Harness): void {
  test('is created, runs, exits and is removed', async () => {
    const { engine, spec } = open()
    const wanted = spec({ command: ['sh', '-c', 'exit 7'] })
    const id = await engine.createContainer(wanted)
    expect(await engine.inspectContainer(id)).toMatchObject({
      name: wanted.name,
      state: 'created',
      exitCode: undefined,
    })
    await engine.startContainer(id)
    expect(await engine.waitContainer(id)).toBe(7)
    expect(await engine.inspectContainer(id)).toMatchObject({ state: 'exited', exitCode: 7, health: 'none' })
    await engine.removeContainer(id)
    await expect(engine.inspectContainer(id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('is copied with its settings and ports, under another name and from another image', async () => {
    const { engine, image, name, spec, start } = open()
    const wanted = spec({
      environment: { A: 'b' },
      labels: { mine: 'yes', changed: 'no' },
      ports: [{ container: 80, protocol: 'tcp', host: undefined, address: '127.0.0.1' }],
      mounts: [{ kind: 'ownVolume', to: '/own', writable: true, labels: {} }],
      limits: { memoryBytes: 64 * 1024 * 1024 },
      network: { name: open().network, aliases: ['alias.test'] },
    })
    const { name: _, ...settings } = wanted
    const id = await start(settings)
    const { published, ...before } = await engine.inspectContainer(id)
    await engine.stopContainer(id, 0)
    const changes = { name: name(), image, labels: { changed: 'yes' }, published }
    const copy = await engine.copyContainer(id, changes)
    await engine.startContainer(copy)
    const found = await engine.inspectContainer(copy)
    expect(found).toMatchObject({
      name: changes.name,
      published,
      labels: { mine: 'yes', changed: 'yes' },
      environment: before.environment,
      mounts: before.mounts,
      memoryBytes: before.memoryBytes,
      networks: [{ name: before.networks[0]?.name }],
    })
    expect(JSON.stringify(found.raw)).toContain('alias.test')
    await expect(engine.copyContainer(id, changes)).rejects.toMatchObject({ code: 'NAME_TAKEN' })
    const missing = engine.copyContainer(id, { ...changes, name: name(), image: 'testfleet/nowhere:1' })
    await expect(missing).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
  })

  test('with a taken name fails with NAME_TAKEN', async () => {
    const { engine, spec } = open()
    const wanted = spec()
    await engine.createContainer(wanted)
    const failure = { code: 'NAME_TAKEN', message: expect.stringContaining(wanted.name) }
    await expect(engine.createContainer(wanted)).rejects.toMatchObject(failure)
  })

  test('of a missing image fails with IMAGE_NOT_FOUND', async () => {
    const { engine, spec } = open()
    const failure = { code: 'IMAGE_NOT_FOUND', message: expect.stringContaining('testfleet/nowhere:1') }
    await expect(engine.createContainer(spec({ image: 'testfleet/nowhere:1' }))).rejects.toMatchObject(failure)
  })

  // Not started: an engine that runs in a container cannot give more than it has.
  test('is privileged only on request', async () => {
    const { engine, spec } = open()
    const ids = [await engine.createContainer(spec()), await engine.createContainer(spec({ privileged: true }))]
    const details = await Promise.all(ids.map((id) => engine.inspectContainer(id)))
    expect(details.map(({ raw }) => raw)).toMatchObject([
      { HostConfig: { Privileged: false } },
      { HostConfig: { Privileged: true } },
    ])
  })

  test('can be paused and unpaused, repeatedly, but not after its end', async () => {
    const { engine, start } = open()
    const id = await start()
    for (const expected of ['paused', 'running'] as const) {
      const change = () => (expected === 'paused' ? engine.pauseContainer(id) : engine.unpauseContainer(id))
      await change()
      await change()
      expect(await engine.inspectContainer(id)).toMatchObject({ state: expected })
    }
    await engine.killContainer(id, 'SIGKILL')
    expect(await engine.waitContainer(id)).toBe(137)
    const refused = { code: 'ENGINE_REFUSED' }
    await expect(engine.pauseContainer(id)).rejects.toMatchObject(refused)
    await expect(engine.unpauseContainer(id)).rejects.toMatchObject(refused)
    await expect(engine.killContainer(id, 'SIGKILL')).rejects.toMatchObject(refused)
    await engine.startContainer(id)
    expect(await engine.inspectContainer(id)).toMatchObject({ state: 'running' })
  })

  test('gets the signal that is sent', async () => {
    const { engine, start } = open()
    const command = ['sh', '-c', 'trap "exit 3" HUP; echo set; while :; do sleep 0.05; done']
    const id = await start({ command, init: false })
    await readUntil(engine.readLogs(id, { follow: true }), 'set')
    await engine.killContainer(id, 'SIGHUP')
    expect(await engine.waitContainer(id)).toBe(3)
  })

  test('can be removed while it runs, again, and by several calls at once, which ends a wait', async () => {
    const { engine, start } = open()
    const id = await start()
    const waiting = engine.waitContainer(id).catch(() => 'an answer')
    await Promise.all([engine.removeContainer(id), engine.removeContainer(id), engine.removeContainer(id)])
    await expect(engine.inspectContainer(id)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await engine.removeContainer(id)
    expect(await waiting).toBeDefined()
  })

  test('can be renamed to a free name', async () => {
    const { engine, start, idle, name } = open()
    const [id, other] = [await start(), await idle()]
    const wanted = name()
    await engine.renameContainer(id, wanted)
    expect((await engine.inspectContainer(id)).name).toBe(wanted)
    await expect(engine.renameContainer(other, wanted)).rejects.toMatchObject({ code: 'NAME_TAKEN' })
    await expect(engine.renameContainer('no-such-container', name())).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('gets its stop signal before it is killed', async () => {
    const { engine, start } = open()
    const command = ['sh', '-c', 'trap "exit 5" USR1; echo set; while :; do sleep 0.05; done']
    const id = await start({ command, stopSignal: 'SIGUSR1', init: false })
    for await (const _ of engine.readLogs(id, { follow: true })) break
    await engine.stopContainer(id, 20_000)
    expect(await engine.inspectContainer(id)).toMatchObject({ state: 'exited', exitCode: 5 })
  })

  test('that does not run can be stopped', async () => {
    const { engine, spec } = open()
    await engine.stopContainer(await engine.createContainer(spec()), 1000)
  })
}

function describeListing(open: () => Harness): void {
  test('is found by all its labels, running or not', async () => {
    const { engine, spec, labels } = open()
    const id = await engine.createContainer(spec({ labels: { one: '1', two: 'a=b c' } }))
    const find = async (wanted: Record<string, string>) =>
      (await engine.listContainers({ ...labels, ...wanted })).map((container) => container.id)
    expect(await find({ one: '1', two: 'a=b c' })).toEqual([id])
    expect(await find({ one: '' })).toEqual([id])
    expect(await find({ one: '2' })).toEqual([])
    expect(await find({ one: '1', three: '' })).toEqual([])
  })

  test('is listed as it is inspected', async () => {
    const { engine, start, labels, image } = open()
    const ports = [{ container: 80, protocol: 'tcp', host: undefined, address: '127.0.0.1' }] as const
    const id = await start({ labels: { listed: 'yes' }, ports })
    const { name, imageId, state, labels: found, networks, published } = await engine.inspectContainer(id)
    expect(await engine.listContainers({ ...labels, listed: 'yes' })).toMatchObject([
      { id, name, imageId, image: expect.stringContaining(image), state, labels: found, networks, published },
    ])
    expect(networks).toMatchObject([{ ip: expect.stringMatching(/./) }])
    expect(published).toMatchObject([{ container: 80, address: '127.0.0.1' }])
    expect(found).toMatchObject({ ...labels, listed: 'yes' })
    const hourMs = 3_600_000
    const { createdAtMs } = await engine.inspectContainer(id)
    expect(Math.abs(createdAtMs - Date.now())).toBeLessThan(hourMs)
    const [listed] = await engine.listContainers({ ...labels, listed: 'yes' })
    expect(Math.abs((listed?.createdAtMs ?? 0) - createdAtMs)).toBeLessThanOrEqual(1000)
  })
}

function describeEvents(open: () => Harness): void {
  test('has events that can be followed while they happen, and in a range of time', async () => {
    const { engine, start, labels, spec } = open()
    const sinceMs = Date.now() - 1000
    const mine = { ...labels, followed: 'yes' }
    const abort = new AbortController()
    const events: ContainerEvent[] = []
    const following = (async () => {
      for await (const event of engine.followEvents(mine, { sinceMs }, { signal: abort.signal })) events.push(event)
    })()
    const { name } = spec()
    await start({ labels: { followed: 'no' } })
    const id = await start({ name, labels: { followed: 'yes' } })
    await engine.pauseContainer(id)
    await engine.unpauseContainer(id)
    await engine.killContainer(id, 'SIGKILL')
    await engine.waitContainer(id)
    await engine.removeContainer(id)
    const kinds = ['created', 'started', 'paused', 'resumed', 'signalled', 'exited', 'removed']
    await vi.waitFor(() => expect(events.map(({ kind }) => kind)).toEqual(kinds), { timeout: 20_000 })
    abort.abort(new Error('enough'))
    await expect(following).rejects.toThrow('enough')
    expect(events.every((event) => event.container === id && event.name === name)).toBe(true)
    expect(events[0]).toMatchObject({ labels: mine })
    expect(events.map(({ atMs }) => atMs)).toEqual(events.map(({ atMs }) => atMs).toSorted((one, two) => one - two))
    // Podman does not report which signal it was.
    const signalled = events.find((event) => event.kind === 'signalled')
    expect(['SIGKILL', undefined]).toContain(signalled?.signal)
    expect(events.find(({ kind }) => kind === 'exited')).toMatchObject({ exitCode: 137 })
    const again: ContainerEvent[] = []
    for await (const event of engine.followEvents(mine, { sinceMs, untilMs: Date.now() })) again.push(event)
    expect(again).toEqual(events)
    const raw = await engine.readEvents(mine, { fromMs: sinceMs, toMs: Date.now() })
    const actions = (raw as { readonly Action?: string }[]).map(({ Action }) => Action)
    expect(actions).toEqual(expect.arrayContaining(['create', 'start', 'die']))
    expect(await engine.readEvents({ ...mine, followed: 'never' }, { fromMs: sinceMs, toMs: Date.now() })).toEqual([])
  })
}

function describeWaiting(open: () => Harness): void {
  test('that is killed ends a wait, and the next one at once', async () => {
    const { engine, start } = open()
    const id = await start({ init: false, command: ['sh', '-c', 'kill -KILL 1; sleep infinity'] })
    const waiting = engine.waitContainer(id)
    // The first process ignores signals without a handler; a grace period of 0 kills it.
    await engine.stopContainer(id, 0)
    expect(await waiting).toBe(137)
    expect(await engine.waitContainer(id)).toBe(137)
  })
}
