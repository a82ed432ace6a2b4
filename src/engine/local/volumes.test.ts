import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Engine } from '../engine.ts'
import { rootMachine } from './programs.ts'
import { openStore } from './store.ts'
import { volumeVerbs } from './volumes.ts'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-volumes-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const open = (): Pick<Engine, 'createVolume' | 'removeVolume' | 'listVolumes'> =>
  volumeVerbs({ store: openStore(folder), machine: rootMachine, runtime: async () => 'runc' })

/** Writes the record of a container with these mounts. */
async function record(id: string, mounts: readonly object[], ownVolumes: object = {}): Promise<void> {
  await mkdir(join(folder, 'containers', id), { recursive: true })
  const written = { id, name: `name-${id}`, createdAtMs: 7, ownVolumes, spec: { mounts } }
  await writeFile(join(folder, 'containers', id, 'container.json'), JSON.stringify(written))
}

test('of many callers that create a volume, one wins, and the others get its labels', async () => {
  const calls = Array.from({ length: 30 }, (_, i) => open().createVolume('shared', { by: String(i) }))
  const winners = new Set((await Promise.all(calls)).map(({ by }) => by))
  expect(winners.size).toBe(1)
  expect(await open().listVolumes({ by: '' })).toMatchObject([{ name: 'shared', labels: { by: [...winners][0] } }])
  expect(await readdir(join(folder, 'volumes'))).toEqual(['shared'])
})

test('a volume that is removed and created at the same time is there or not, and leaves nothing else', async () => {
  const { createVolume, removeVolume, listVolumes } = open()
  for (let i = 0; i < 20; i++) {
    await Promise.all([createVolume('ab', {}), removeVolume('ab'), createVolume('ab', {}), removeVolume('ab')])
  }
  await removeVolume('ab')
  expect(await listVolumes({})).toEqual([])
  expect(await readdir(join(folder, 'volumes'))).toEqual([])
})

test.each(['', 'a', '.', '..', '.hidden', 'a/b', '../out', 'a\nb', 'a b', 'é1', 'x'.repeat(256)])(
  'the name %j is refused, and counts as removed',
  async (name) => {
    await expect(open().createVolume(name, {})).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    await open().removeVolume(name)
  },
)

test('a volume that a container uses stays', async () => {
  const { createVolume, removeVolume, listVolumes } = open()
  await createVolume('used', {})
  await record('1', [{ kind: 'volume', volume: 'used', to: '/data', writable: true }])
  const removing = expect(removeVolume('used')).rejects
  await removing.toMatchObject({ code: 'ENGINE_REFUSED', message: expect.stringContaining('name-1') })
  expect(await listVolumes({})).toHaveLength(1)
})

test('anonymous volumes are listed, and removed only with their container', async () => {
  const { removeVolume, listVolumes } = open()
  const id = 'f'.repeat(64)
  await record(id, [{ kind: 'ownVolume', to: '/a', writable: true, labels: { own: 'yes' } }], { '/a': '/x/0' })
  const [own, ...others] = await listVolumes({ own: 'yes' })
  expect(others).toEqual([])
  await expect(removeVolume(own?.name ?? '')).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
})

test('labels are compared as texts, and an empty value matches any', async () => {
  const { createVolume, listVolumes } = open()
  await createVolume('ab', { one: '1', empty: '' })
  expect(await listVolumes({ one: '2' })).toEqual([])
  expect(await listVolumes({ constructor: '' })).toEqual([])
  expect(await listVolumes({ one: '', empty: '' })).toHaveLength(1)
})
