import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { packTar, type TarEntry, type TarHeader } from 'modern-tar'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packTree } from './pack-tree.ts'
import { unpackTree } from './unpack-tree.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'testfleet-trees-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

let count = 0
/** Creates a folder, and returns the path in it that a copy becomes. */
function makeTarget(): string {
  const parent = join(folder, String(++count))
  mkdirSync(parent)
  return join(parent, 'copy')
}

const file = (name: string, body = 'x', more: Partial<TarHeader> = {}): TarEntry => ({
  header: { name, size: body.length, type: 'file', mode: 0o640, ...more },
  body,
})
const link = (name: string, linkname: string, type: 'symlink' | 'link' = 'symlink'): TarEntry => ({
  header: { name, size: 0, type, linkname },
})

async function unpack(entries: readonly TarEntry[], path = makeTarget(), chunkBytes = 1000) {
  const bytes = await packTar(entries)
  const leftOut: string[] = []
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes)
  }
  const onLeftOut = (what: string): void => void leftOut.push(what)
  const copied = await unpackTree(chunks(), { path, topName: 'top', keepsOwners: false, onLeftOut })
  return { path, leftOut, copied }
}

describe('unpackTree', () => {
  test('writes files, folders and links with their modes and times, however the stream is split', async () => {
    const entries: TarEntry[] = [
      { header: { name: 'top/', size: 0, type: 'directory', mode: 0o755 } },
      { header: { name: 'top/locked/', size: 0, type: 'directory', mode: 0o555 } },
      file('top/locked/a', 'hello', { mtime: new Date('2020-01-02T03:04:05Z') }),
      file(`top/${'long-'.repeat(40)}ü`, 'y'.repeat(3000)),
      link('top/to-a', 'locked/a'),
      link('top/locked/up', '../locked'),
      link('top/hard', 'top/locked/a', 'link'),
    ]
    const { path, copied, leftOut } = await unpack(entries, makeTarget(), 7)
    expect(leftOut).toEqual([])
    expect(copied).toEqual({ files: 5, bytes: 3005 })
    expect(readFileSync(join(path, 'to-a'), 'utf8')).toBe('hello')
    expect(lstatSync(join(path, 'locked')).mode & 0o7777).toBe(0o555)
    expect(lstatSync(join(path, 'locked/a'))).toMatchObject({ mtime: new Date('2020-01-02T03:04:05Z'), nlink: 2 })
    expect(lstatSync(join(path, 'locked/a')).mode & 0o7777).toBe(0o640)
    expect(readlinkSync(join(path, 'locked/up'))).toBe('../locked')
    chmodSync(join(path, 'locked'), 0o755)
  })

  test('a single file becomes the target, and replaces a file or a link, but not the target of the link', async () => {
    const path = makeTarget()
    const other = join(folder, 'precious')
    writeFileSync(other, 'precious')
    symlinkSync(other, path)
    await unpack([file('top', 'new')], path)
    expect(readFileSync(path, 'utf8')).toBe('new')
    expect(lstatSync(path).isFile()).toBe(true)
    expect(readFileSync(other, 'utf8')).toBe('precious')
  })

  test('replaces no pipe and no device, and leaves no part of a file that was cut off', async () => {
    const path = makeTarget()
    execFileSync('mkfifo', [path])
    await expect(unpack([file('top', 'new')], path)).rejects.toMatchObject({
      code: 'COPY_FAILED',
      message: `${path} is a device, a pipe or a socket`,
    })
    expect(lstatSync(path).isFIFO()).toBe(true)
    const cut = makeTarget()
    const whole = await packTar([file('top', 'x'.repeat(2000))])
    const onLeftOut = () => {}
    const unpacking = unpackTree(Readable.from([whole.subarray(0, 1000)]), {
      path: cut,
      topName: 'top',
      keepsOwners: false,
      onLeftOut,
    })
    await expect(unpacking).rejects.toThrow()
    expect(existsSync(cut)).toBe(false)
  })

  test.each([
    ['parent folders', [file('top/../../escaped')]],
    ['an absolute path', [file('/escaped')]],
    ['another top', [file('other/escaped')]],
    ['a path through a file', [file('top/a'), file('top/a/escaped')]],
    ['a hard link to a file outside', [link('top/a', '/etc/passwd', 'link')]],
    ['a hard link out of the copy', [link('top/a', 'top/../../x', 'link')]],
    ['a hard link to a missing entry', [link('top/a', 'top/b', 'link')]],
    ['a device that is all of the copy', [{ header: { name: 'top', size: 0, type: 'character-device' } } as TarEntry]],
  ])('refuses %s', async (_, entries) => {
    const path = makeTarget()
    await expect(unpack(entries, path)).rejects.toMatchObject({ code: 'COPY_FAILED' })
    expect(existsSync(join(folder, 'escaped'))).toBe(false)
    expect(existsSync('/escaped')).toBe(false)
  })

  test.each(['/etc/passwd', '..', '../../x', 'a/../../..', 'here/sub/../../../x', ''])(
    'leaves out a link to %j, which could lead out of the copy',
    async (target) => {
      const { path, leftOut } = await unpack([
        { header: { name: 'top/', size: 0, type: 'directory' } },
        { header: { name: 'top/sub/', size: 0, type: 'directory' } },
        link('top/here', '.'),
        link('top/out', target),
      ])
      expect(leftOut).toEqual([`top/out is a link to ${target}, which is not part of the copy`])
      expect(existsSync(join(path, 'out'))).toBe(false)
    },
  )

  test('writes nothing through a link, of the archive or of this machine', async () => {
    const outside = join(folder, 'outside')
    mkdirSync(outside)
    const first = [link('top/door', 'room'), file('top/door/inside')]
    await expect(unpack(first)).rejects.toMatchObject({ code: 'COPY_FAILED' })
    const path = makeTarget()
    mkdirSync(path)
    symlinkSync(outside, join(path, 'door'))
    await expect(unpack([file('top/door/inside')], path)).rejects.toMatchObject({
      code: 'COPY_FAILED',
      message: expect.stringContaining('door is a link'),
    })
    expect(existsSync(join(outside, 'inside'))).toBe(false)
  })

  test('leaves out devices and pipes, and drops setuid and setgid bits', async () => {
    const { path, leftOut } = await unpack([
      { header: { name: 'top/', size: 0, type: 'directory' } },
      { header: { name: 'top/null', size: 0, type: 'character-device' } },
      { header: { name: 'top/pipe', size: 0, type: 'fifo' } },
      file('top/su', 'x', { mode: 0o4755 }),
    ])
    expect(leftOut).toHaveLength(2)
    expect(lstatSync(join(path, 'su')).mode & 0o7777).toBe(0o755)
  })

  test('rejects with the error of the source, or for an invalid archive', async () => {
    async function* broken() {
      yield (await packTar([file('top', 'x'.repeat(2000))])).subarray(0, 700)
      throw new Error('the source broke')
    }
    const target = { topName: 'top', keepsOwners: false, onLeftOut() {} }
    await expect(unpackTree(broken(), { ...target, path: makeTarget() })).rejects.toThrow('the source broke')
    async function* noise() {
      yield Buffer.alloc(2048, 'noise')
    }
    await expect(unpackTree(noise(), { ...target, path: makeTarget() })).rejects.toThrow()
  })
})

describe('packTree', () => {
  test('restores what was packed, with modes, and without following links', async () => {
    const source = join(folder, 'source')
    mkdirSync(join(source, 'sub'), { recursive: true })
    writeFileSync(join(source, 'sub/big'), Buffer.alloc(300_000, 'abc'))
    writeFileSync(join(source, 'run'), '#!', { mode: 0o755 })
    symlinkSync('/etc/passwd', join(source, 'passwd'))
    symlinkSync('sub', join(source, 'way'))
    const { archive, counted } = packTree({ source, name: 'top', keepsOwners: false }, () => {})
    const leftOut: string[] = []
    const path = makeTarget()
    const target = { path, topName: 'top', keepsOwners: false, onLeftOut: (what: string) => void leftOut.push(what) }
    await unpackTree(archive, target)
    expect(counted()).toEqual({ files: 4, bytes: 300_002 })
    expect(readFileSync(join(path, 'way/big')).equals(readFileSync(join(source, 'sub/big')))).toBe(true)
    expect(lstatSync(join(path, 'run')).mode & 0o777).toBe(0o755)
    expect(leftOut).toEqual(['top/passwd is a link to /etc/passwd, which is not part of the copy'])
  })

  test('fails when the packed file is gone', async () => {
    const { archive } = packTree({ source: join(folder, 'no-such'), name: 'top', keepsOwners: false }, () => {})
    await expect(archive.toArray()).rejects.toMatchObject({ code: 'CONTEXT_CHANGED' })
  })
})
