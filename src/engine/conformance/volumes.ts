import { describe, expect, test } from 'vitest'
import type { Harness } from './harness.ts'

export function describeVolumes(open: () => Harness): void {
  describe('a volume', () => {
    test('outlives its container, and is read-only by default', async () => {
      const { engine, start, shell, name, labels } = open()
      const volume = name()
      await engine.createVolume(volume, labels)
      const mount = (writable: boolean) => [{ kind: 'volume', volume, to: '/data', writable }] as const
      const writer = await start({ mounts: mount(true) })
      expect((await shell(writer, 'echo kept > /data/x')).exitCode).toBe(0)
      await engine.removeContainer(writer)
      const reader = await start({ mounts: mount(false) })
      const { stdout, stderr } = await shell(reader, 'cat /data/x; echo no > /data/x')
      expect(stdout).toBe('kept\n')
      expect(stderr).toContain('Read-only')
    })

    test('is found by its labels, and can be removed', async () => {
      const { engine, name, labels } = open()
      const wanted = { ...labels, found: name() }
      await engine.createVolume(wanted.found, wanted)
      const found = { name: wanted.found, labels: wanted, createdAtMs: expect.any(Number) }
      expect(await engine.listVolumes(wanted)).toEqual([found])
      await engine.removeVolume(wanted.found)
      await engine.removeVolume(wanted.found)
      expect(await engine.listVolumes(wanted)).toEqual([])
    })

    test('that already exists stays unchanged', async () => {
      const { engine, name, labels } = open()
      const volume = name()
      await engine.createVolume(volume, labels)
      await engine.createVolume(volume, { ...labels, later: 'yes' })
      expect(await engine.listVolumes(labels)).toContainEqual(expect.objectContaining({ name: volume, labels }))
    })

    test('without a name is removed with its container', async () => {
      const { engine, start, shell, name, labels } = open()
      const wanted = { ...labels, own: name() }
      const id = await start({ mounts: [{ kind: 'ownVolume', to: '/data', writable: true, labels: wanted }] })
      expect((await shell(id, 'echo x > /data/x')).exitCode).toBe(0)
      expect(await engine.listVolumes(wanted)).toHaveLength(1)
      await engine.removeContainer(id)
      expect(await engine.listVolumes(wanted)).toEqual([])
    })

    test('in use cannot be removed', async () => {
      const { engine, spec, name, labels } = open()
      const volume = name()
      await engine.createVolume(volume, labels)
      await engine.createContainer(spec({ mounts: [{ kind: 'volume', volume, to: '/data', writable: true }] }))
      await expect(engine.removeVolume(volume)).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    })
  })
}
