import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { label } from '../../model/labels.ts'
import type { Harness } from './harness.ts'

/** Records, networks, volumes and images of a session. */
export function describeStored(open: () => Harness): void {
  describe('a record', () => {
    test('is stored once for each revision, is listed as written, and can be removed', async () => {
      const { runtime, session } = open()
      const [about, text] = [{ fleet: 'shop', owner: 'me@here' }, '{"name":"größe \\"x\\""}']
      const list = async () => (await runtime.listRecords()).filter((one) => one.session === session)
      expect(await runtime.storeRecord({ session, revision: 1, writer: 'one', text }, about)).toBe('one')
      expect(await runtime.storeRecord({ session, revision: 1, writer: 'two', text: 'other' }, about)).toBe('one')
      expect(await runtime.storeRecord({ session, revision: 2, writer: 'two', text: 'other' }, about)).toBe('two')
      const createdAtMs = expect.any(Number)
      expect((await list()).sort((one, other) => one.revision - other.revision)).toEqual([
        { session, revision: 1, writer: 'one', text, createdAtMs },
        { session, revision: 2, writer: 'two', text: 'other', createdAtMs },
      ])
      expect((await runtime.observe({ [label.session]: session })).volumes).toEqual([])
      for (const revision of [1, 2, 2]) await runtime.removeRecord(session, revision)
      expect(await list()).toEqual([])
    })

    test('of one revision can be written by only one of several concurrent writers', async () => {
      const { runtime, session } = open()
      const writers = ['a', 'b', 'c', 'd', 'e']
      const stored = await Promise.all(
        writers.map((writer) =>
          runtime.storeRecord({ session, revision: 3, writer, text: writer }, { fleet: 'shop', owner: 'me@here' }),
        ),
      )
      const [record] = (await runtime.listRecords()).filter((one) => one.session === session)
      expect(stored).toEqual(writers.map(() => record?.writer))
      expect(record?.text).toBe(record?.writer)
      await runtime.removeRecord(session, 3)
    })
  })

  describe('objects with all of the given labels', () => {
    test('are observed, and no others', async () => {
      const { runtime, labels, name, spec } = open()
      const wanted = { ...labels, 'dev.testfleet.mark': name() }
      const names = { network: name(), volume: name() }
      const network = await runtime.createNetwork(names.network, wanted)
      await runtime.createVolume(names.volume, wanted)
      const server = await runtime.createServer(spec({ labels: wanted }))
      const common = { labels: wanted, createdAtMs: expect.any(Number) }
      expect(await runtime.observe(wanted)).toMatchObject({
        servers: [{ id: server, state: 'created' }],
        networks: [{ id: network, name: names.network, ...common }],
        volumes: [{ id: names.volume, name: names.volume, ...common }],
      })
      expect((await runtime.listServers(wanted)).map(({ id }) => id)).toEqual([server])
      const none = { ...wanted, 'dev.testfleet.mark': 'another' }
      expect(await runtime.observe(none)).toEqual({ servers: [], networks: [], volumes: [] })
      await runtime.removeServer({ id: server, labels: wanted, state: 'created' })
      // Removing something that is gone succeeds.
      for (const _ of [1, 2]) await Promise.all([runtime.removeNetwork(network), runtime.removeVolume(names.volume)])
      expect(await runtime.observe(wanted)).toEqual({ servers: [], networks: [], volumes: [] })
    })
  })

  describe('objects with all labels, but with a name that is not of the session', () => {
    test('are not observed, because an image can carry any label', async () => {
      const { runtime, labels, spec } = open()
      const wanted = { ...labels, 'dev.testfleet.mark': 'stranger' }
      const stranger = { ...spec({ labels: wanted }), name: `stranger-${randomBytes(4).toString('hex')}` }
      const id = await runtime.createServer(stranger)
      try {
        expect(await runtime.listServers(wanted)).toEqual([])
        expect((await runtime.observe(wanted)).servers).toEqual([])
      } finally {
        await runtime.removeServer({ id, labels: wanted, state: 'created' })
      }
    })
  })

  describe('a taken name', () => {
    test('of a volume with other labels fails with NAME_TAKEN and leaves the volume unchanged', async () => {
      const { runtime, labels, name } = open()
      const [volume, before] = [name(), { ...labels, owner: 'somebody' }]
      await runtime.createVolume(volume, before)
      // Creating it twice succeeds: the answer to the first request may have been lost.
      await runtime.createVolume(volume, before)
      const taken = { code: 'NAME_TAKEN', message: expect.stringContaining(volume) }
      await expect(runtime.createVolume(volume, { ...labels, owner: 'me' })).rejects.toMatchObject(taken)
      expect((await runtime.observe(before)).volumes).toMatchObject([{ name: volume, labels: before }])
    })

    test('of a network or a server fails with NAME_TAKEN', async () => {
      const { runtime, labels, network, spec } = open()
      await expect(runtime.createNetwork(network, labels)).rejects.toMatchObject({ code: 'NAME_TAKEN' })
      const wanted = spec()
      await runtime.createServer(wanted)
      const taken = { code: 'NAME_TAKEN', message: expect.stringContaining(wanted.name) }
      await expect(runtime.createServer(wanted)).rejects.toMatchObject(taken)
    })
  })

  describe('images', () => {
    test('of an unfinished change are removed, with a name or without; others stay', async () => {
      const { runtime, name, makeImage, countImages } = open()
      const [change, mark] = [name(), name()]
      const labels = { [label.change]: change, mark }
      await makeImage({ ...labels, which: '1' }, `testfleet/${name()}:1`)
      await makeImage({ ...labels, which: '2' }, undefined)
      await makeImage({ ...labels, [label.change]: '' }, `testfleet/${name()}:1`)
      expect(await countImages({ mark })).toBe(3)
      await runtime.removeUnfinishedImages(change)
      expect(await countImages(labels)).toBe(0)
      expect(await countImages({ mark })).toBe(1)
      await runtime.removeUnfinishedImages(change)
    })
  })
}
