import { describe, expect, test } from 'vitest'
import { buildText } from './builds.ts'
import type { Harness } from './harness.ts'

export function describeImages(open: () => Harness): void {
  describe('an image', () => {
    test('that does not exist is undefined', async () => {
      expect(await open().engine.inspectImage('testfleet/nowhere:1')).toBeUndefined()
    })

    test('has a size and labels', async () => {
      const { engine, image } = open()
      const found = await engine.inspectImage(image)
      expect(found).toMatchObject({ id: expect.any(String) })
      expect(found?.sizeBytes).toBeGreaterThan(1_000_000)
      const tag = await buildText(open(), 'LABEL mine=yes')
      expect(await engine.inspectImage(tag)).toMatchObject({ labels: { mine: 'yes' } })
    })

    test('is found by its labels, and can be removed', async () => {
      const { engine, labels, name } = open()
      const mark = name()
      const tag = await buildText(open(), `LABEL mark=${mark}`)
      const wanted = { ...labels, mark }
      expect(await engine.listImages(wanted)).toMatchObject([{ references: [tag], labels: wanted }])
      await engine.removeImage(tag)
      await engine.removeImage(tag)
      expect(await engine.listImages(wanted)).toEqual([])
    })

    test('is made of a container, with its files and without those in volumes', async () => {
      const { engine, name, shell, start } = open()
      const image = await buildText(open(), 'ENV A=b\nVOLUME /data')
      const id = await start({ image, environment: { OWN: 'x' }, labels: { mine: 'yes' } })
      expect(await engine.inspectContainer(id)).toMatchObject({
        environment: { A: 'b', OWN: 'x' },
        mounts: [{ to: '/data', kind: 'ownVolume', writable: true }],
      })
      await shell(id, 'echo one > /etc/made; rm /etc/issue; echo two > /data/lost')
      const reference = `testfleet/${name()}:1`
      await engine.stopContainer(id, 1000)
      await engine.commitContainer(id, reference)
      expect(await engine.inspectImage(reference)).toMatchObject({ environment: { A: 'b' }, labels: { mine: 'yes' } })
      const { stdout } = await shell(await start({ image: reference }), 'cat /etc/made; ls /etc/issue /data')
      expect(stdout).toBe('one\n/data:\n')
      await expect(engine.commitContainer('nowhere', reference)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    test('that a container uses cannot be removed', async () => {
      const { engine, spec } = open()
      const tag = await buildText(open(), 'LABEL used=yes')
      await engine.createContainer(spec({ image: tag }))
      await expect(engine.removeImage(tag)).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    })
  })
}
