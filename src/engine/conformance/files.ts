import { describe, expect, test } from 'vitest'
import { type Bench, pack, unpack } from './bench.ts'

export function describeFiles(open: () => Bench): void {
  describe('files', () => {
    test('can be put into a container before it starts', async () => {
      const { engine, spec } = open()
      const id = await engine.createContainer(spec({ command: ['grep', '-q', 'hello', '/etc/greeting'] }))
      await engine.putArchive(id, '/etc', await pack({ greeting: 'hello\n' }))
      await engine.startContainer(id)
      expect(await engine.waitContainer(id)).toBe(0)
    })

    test('come out of a container as they went in', async () => {
      const { engine, start } = open()
      const id = await start()
      const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7) % 256))
      await engine.putArchive(id, '/tmp', await pack({ 'a file': bytes }))
      const found = await unpack(await engine.getArchive(id, '/tmp/a file', 1_000_000))
      expect(found['a file']?.equals(bytes)).toBe(true)
    })

    test('that are larger than asked for are refused', async () => {
      const { engine, start } = open()
      const id = await start()
      const getting = engine.getArchive(id, '/usr/share', 10_000)
      await expect(getting).rejects.toMatchObject({ message: expect.stringContaining('/usr/share') })
    })

    test('are looked at: folders, files, links, and what is not there', async () => {
      const { engine, spec, image } = open()
      const id = await engine.createContainer(spec({ image }))
      const paths = ['/', '/etc', '/etc/passwd', '/etc/alternatives/awk', '/no/such', '/etc/passwd/below']
      const found = await Promise.all(paths.map((path) => engine.statPath(id, path)))
      expect(found.map((stat) => stat?.kind)).toEqual(['folder', 'folder', 'file', 'link', undefined, undefined])
      expect(found[3]).toEqual({ kind: 'link', target: '/usr/bin/mawk' })
    })

    test('that are not there are NOT_FOUND', async () => {
      const { engine, start } = open()
      const id = await start()
      await expect(engine.getArchive(id, '/no/such', 10_000)).rejects.toMatchObject({ code: 'NOT_FOUND' })
      const putting = engine.putArchive(id, '/no/such', await pack({ a: 'b' }))
      await expect(putting).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })
  })
}
