import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile as write } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { packTar } from 'modern-tar'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { resolveArchive, type WriteTools, writeFile, writeStream } from './write-archive.ts'

const id = 'a'.repeat(64)
const images = [{ reference: 'fleet:1', id: `sha256:${id}` }]
const archive = await packTar([
  { header: { name: `${id}.json`, size: 0 } },
  listOf(JSON.stringify([{ Config: `${id}.json`, RepoTags: ['fleet:1'], Layers: [] }])),
])

const others = await packTar([listOf('[]')])

/** An archive that another release began and did not finish. */
const old = (await packTar([{ header: { name: 'blobs/', type: 'directory', size: 0 } }])).subarray(0, 600)

function listOf(body: string) {
  return { header: { name: 'manifest.json', size: body.length }, body }
}

describe('an archive of images', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'testfleet-archive-'))
  })
  afterEach(() => rm(folder, { recursive: true }))

  const toolsFor = (chunks: () => AsyncIterable<Uint8Array>, signal = new AbortController().signal): WriteTools => ({
    engine: { saveImages: chunks, location: { url: 'unix:///x' } as WriteTools['engine']['location'] },
    host: {
      get workingFolder() {
        return folder
      },
    },
    signal,
  })
  const whole = toolsFor(async function* () {
    for (let at = 0; at < archive.length; at += 100) yield archive.subarray(at, at + 100)
  })

  test('is written to a file, through a link, and not again', async () => {
    await mkdir(join(folder, 'there'))
    await symlink('there/images.tar', join(folder, 'link.tar'))
    await write(join(folder, 'there/images.tar'), old)
    expect(await writeFile(images, 'link.tar', whole)).toEqual({ images, bytes: archive.length, isNew: true })
    expect(await readFile(join(folder, 'there/images.tar'))).toEqual(Buffer.from(archive))
    const unused = toolsFor(() => {
      throw new Error('the engine was asked')
    })
    expect(await writeFile(images, 'link.tar', unused)).toEqual({ images, bytes: archive.length, isNew: false })
    expect(await readdir(folder)).toEqual(['link.tar', 'there'])
  })

  test('is written to a stream, which stays open', async () => {
    const stream = new PassThrough()
    const read = buffer(stream)
    expect(await writeStream(images, stream, whole)).toBe(archive.length)
    stream.end('more')
    expect(await read).toEqual(Buffer.concat([archive, Buffer.from('more')]))
  })

  test('fails when its reader leaves', async () => {
    const stream = new PassThrough({ highWaterMark: 1 })
    stream.once('data', () => stream.destroy(Object.assign(new Error('closed'), { code: 'EPIPE' })))
    const failed = { code: 'USAGE', message: 'the archive cannot be written: EPIPE' }
    await expect(writeStream(images, stream, whole)).rejects.toMatchObject(failed)
  })

  test.each([
    ['cut', archive.subarray(0, -512)],
    ['ends with an error', Buffer.concat([archive, Buffer.from('{"error":"no space left"}')])],
    ['empty', Buffer.alloc(0)],
    ['of other images', others],
  ])('that is %s never replaces a file', async (_, bytes) => {
    await write(join(folder, 'images.tar'), old)
    const tools = toolsFor(async function* () {
      yield bytes
    })
    await expect(writeFile(images, 'images.tar', tools)).rejects.toMatchObject({ code: 'ENGINE_LOST' })
    expect(await readFile(join(folder, 'images.tar'))).toEqual(Buffer.from(old))
    expect(await readdir(folder)).toEqual(['images.tar'])
  })

  test('leaves no file behind when it is cancelled', async () => {
    const control = new AbortController()
    const tools = toolsFor(async function* () {
      yield archive.subarray(0, 600)
      control.abort(new Error('stopped'))
      yield archive.subarray(600)
    }, control.signal)
    await expect(writeFile(images, 'images.tar', tools)).rejects.toThrow('stopped')
    expect(await readdir(folder)).toEqual([])
  })

  test('never replaces a file of another kind', async () => {
    const message = 'the images cannot be written to "x": another file is there'
    const backup = await packTar([{ header: { name: 'backup/', type: 'directory', size: 0 } }])
    for (const content of ['name: shop\n', backup]) {
      await write(join(folder, 'x'), content)
      await expect(writeFile(images, 'x', whole)).rejects.toMatchObject({ code: 'USAGE', message })
      expect(await readFile(join(folder, 'x'))).toEqual(Buffer.from(content))
    }
  })

  test('is not written where no file can be', async () => {
    for (const [path, why] of [
      ['/dev/null', '/dev/null is not a file'],
      ['.', '. is not a file'],
      ['none/images.tar', 'none/images.tar cannot be written: no such file or folder'],
    ] as const) {
      await expect(writeFile(images, path, whole)).rejects.toMatchObject({ code: 'USAGE', message: why })
      // Before the images are built and exported.
      await expect(resolveArchive(path, whole.host)).rejects.toMatchObject({ code: 'USAGE', message: why })
    }
    expect((await stat('/dev/null')).isCharacterDevice()).toBe(true)
  })
})
