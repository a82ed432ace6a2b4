import { mkdtemp, open, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { packTar, type TarEntry, unpackTar } from 'modern-tar'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packImages, readImageArchive } from './image-archive.ts'

const id = (digit: string): string => digit.repeat(64)
const manifest = (...digits: readonly string[]): TarEntry =>
  file('manifest.json', JSON.stringify(digits.map((digit) => entryOf(digit))))
const entryOf = (digit: string) => ({
  Config: `${id(digit)}.json`,
  RepoTags: [`fleet-${digit}:1`],
  Layers: ['base/layer.tar', `${digit}/layer.tar`],
})

function file(name: string, body: string): TarEntry {
  return { header: { name, type: 'file', size: body.length }, body }
}

/** As Docker writes it: the layers of one image, and a link to a layer that another image has, too. */
const entries: readonly TarEntry[] = [
  { header: { name: '1/', type: 'directory', size: 0 } },
  file('1/layer.tar', 'layer one'),
  file('1/json', '{}'),
  { header: { name: '2/layer.tar', type: 'symlink', linkname: '../shared/layer.tar', size: 0 } },
  file('base/layer.tar', 'base'),
  file(`${id('1')}.json`, 'config one'),
  file(`${id('2')}.json`, 'config two'),
  file('shared/layer.tar', 'layer two'),
  manifest('1', '2'),
]

describe('an archive of images', () => {
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'testfleet-archive-'))
  })
  afterAll(() => rm(folder, { recursive: true }))

  const write = async (list: readonly TarEntry[]): Promise<string> => {
    const path = join(folder, 'images.tar')
    await writeFile(path, await packTar([...list]))
    return path
  }
  const read = async (path: string) => {
    await using opened = await open(path)
    return await readImageArchive(opened)
  }

  test('lists its images with ids and names, without reading layers', async () => {
    const { images } = await read(await write(entries))
    expect(images.map(({ id, references }) => ({ id, references }))).toEqual([
      { id: `sha256:${id('1')}`, references: ['fleet-1:1'] },
      { id: `sha256:${id('2')}`, references: ['fleet-2:1'] },
    ])
  })

  test('is streamed with only the wanted images, their layers, and what links lead to', async () => {
    await using opened = await open(await write(entries))
    const archive = await readImageArchive(opened)
    const packed = await unpackTar(await buffer(packImages(archive, archive.images.slice(1))))
    expect(packed.map(({ header }) => header.name)).toEqual([
      '2/layer.tar',
      'base/layer.tar',
      `${id('2')}.json`,
      'shared/layer.tar',
      'manifest.json',
    ])
    expect(JSON.parse(Buffer.from(packed.at(-1)?.data ?? []).toString())).toEqual([entryOf('2')])
  })

  test('is streamed whole when all images are wanted, or when it has an OCI layout', async () => {
    const plain = await packTar([...entries])
    const oci = await packTar([file('oci-layout', '{}'), ...entries])
    for (const [bytes, count] of [
      [plain, 2],
      [oci, 1],
    ] as const) {
      await writeFile(join(folder, 'whole.tar'), bytes)
      await using opened = await open(join(folder, 'whole.tar'))
      const archive = await readImageArchive(opened)
      expect(await buffer(packImages(archive, archive.images.slice(0, count)))).toEqual(Buffer.from(bytes))
    }
  })

  test('may have long names and attributes', async () => {
    const long = `${'deep/'.repeat(60)}layer.tar`
    const own = [{ Config: `${id('3')}.json`, RepoTags: null, Layers: [long] }]
    const list = [file(long, 'x'), file(`${id('3')}.json`, ''), file('manifest.json', JSON.stringify(own))]
    const { images } = await read(await write(list))
    expect(images).toMatchObject([{ references: [], entry: { Layers: [long] } }])
  })

  test.each([
    ['is incomplete', entries, -1600],
    ['is not a tar archive', [file('x', 'x')], 100],
    ['is an archive without images', [file('x', 'x')], 0],
    ['lacks shared', entries.filter(({ header }) => header.name !== '2/layer.tar'), 0],
    ['has a list of images that cannot be read', [file('manifest.json', '{"a":1}')], 0],
    ['has a list of images that cannot be read', [file('manifest.json', '[{"Config":1}]')], 0],
  ])('that %s is refused', async (why, list, length) => {
    const path = await write(list)
    const { size } = await stat(path)
    if (length !== 0) await truncate(path, length < 0 ? size + length : length)
    await expect(read(path)).rejects.toThrow(why.replace('shared', '2/layer.tar, which an image in it needs'))
  })

  test('that is damaged is refused', async () => {
    const path = await write(entries)
    await using opened = await open(path, 'r+')
    await opened.write(Buffer.from('9'), 0, 1, 512 + 130)
    await expect(read(path)).rejects.toThrow('is damaged')
  })
})
