import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { collect, type Harness, pack, unpack } from './harness.ts'

function* cut(archive: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < archive.length; at += 65_536) yield archive.subarray(at, at + 65_536)
}

function* breakOff(archive: Uint8Array): Generator<Uint8Array> {
  yield archive.subarray(0, 100_000)
  throw new Error('the source broke')
}

export function describeFiles(open: () => Harness): void {
  describe('files', () => {
    test('can be put into a container before it starts', async () => {
      const { engine, spec } = open()
      const id = await engine.createContainer(spec({ command: ['grep', '-q', 'hello', '/etc/greeting'] }))
      await engine.putArchive(id, '/etc', await pack({ greeting: 'hello\n' }))
      await engine.startContainer(id)
      expect(await engine.waitContainer(id)).toBe(0)
    })

    test('reach the volumes below their folder, if the engine says so', async () => {
      const { engine, spec, labels } = open()
      const mounts = [{ kind: 'ownVolume', to: '/run/own', writable: true, labels } as const]
      const id = await engine.createContainer(spec({ command: ['grep', '-q', 'hello', '/run/own/greeting'], mounts }))
      await engine.putArchive(id, '/', await pack({ 'run/own/greeting': 'hello\n' }))
      await engine.startContainer(id)
      expect((await engine.waitContainer(id)) === 0).toBe(await engine.unpacksIntoMounts())
    })

    test('are read as they were written', async () => {
      const { engine, idle } = open()
      const id = await idle()
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256))
      await engine.putArchive(id, '/tmp', await pack({ 'a file': bytes }))
      const found = await unpack(await engine.getArchive(id, '/tmp/a file', 1_000_000))
      expect(found['a file']?.equals(bytes)).toBe(true)
    })

    test('can be streamed; an error of the source is the failure', async () => {
      const { engine, idle } = open()
      const id = await idle()
      const bytes = Buffer.alloc(3_000_000, 'abc')
      const archive = await pack({ large: bytes })
      await engine.putArchive(id, '/tmp', Readable.from(cut(archive)))
      const found = await unpack(await collect(engine.readArchive(id, '/tmp/large')))
      expect(found.large?.equals(bytes)).toBe(true)
      const broken = Readable.from(breakOff(archive))
      await expect(engine.putArchive(id, '/tmp', broken)).rejects.toThrow('the source broke')
      for await (const _ of engine.readArchive(id, '/tmp/large')) break
      await expect(collect(engine.readArchive(id, '/no/such'))).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    test('above the size limit are refused', async () => {
      const { engine, idle } = open()
      const id = await idle()
      const getting = engine.getArchive(id, '/usr/share', 10_000)
      await expect(getting).rejects.toMatchObject({ message: expect.stringContaining('/usr/share') })
    })

    test('are inspected: folders, files, links and missing paths', async () => {
      const { engine, spec, image } = open()
      const id = await engine.createContainer(spec({ image }))
      const paths = ['/', '/etc', '/etc/passwd', '/etc/alternatives/awk', '/no/such', '/etc/passwd/below']
      const found = await Promise.all(paths.map((path) => engine.statPath(id, path)))
      expect(found.map((stat) => stat?.kind)).toEqual(['folder', 'folder', 'file', 'link', undefined, undefined])
      expect(found[3]).toEqual({ kind: 'link', target: '/usr/bin/mawk' })
    })

    test('at a missing path fail with NOT_FOUND', async () => {
      const { engine, idle } = open()
      const id = await idle()
      await expect(engine.getArchive(id, '/no/such', 10_000)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      const putting = engine.putArchive(id, '/no/such', await pack({ a: 'b' }))
      await expect(putting).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })
}
