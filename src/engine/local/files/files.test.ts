import { execFileSync, spawnSync } from 'node:child_process'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { packTar, type TarHeader, unpackTar } from 'modern-tar'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { plainContainer } from '../../../model/container.ts'
import { rootMachine } from '../programs.ts'
import { openStore } from '../store.ts'
import { fileVerbs } from './file-verbs.ts'

const id = 'a'.repeat(64)
const own = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }
let folder = ''
let root = ''

beforeEach(() => {
  folder = fs.mkdtempSync(join(tmpdir(), 'testfleet-files-'))
  root = join(folder, 'root')
  for (const name of ['etc', 'volume/deep', 'read-only']) fs.mkdirSync(join(root, '..', name), { recursive: true })
  fs.mkdirSync(join(root, 'etc'), { recursive: true })
  fs.writeFileSync(join(folder, 'secret'), 'of the host')
  const mounts = [
    { kind: 'bind', from: join(folder, 'volume'), to: '/var/volume', writable: true },
    { kind: 'bind', from: join(folder, 'read-only'), to: '/etc/read-only', writable: false },
  ]
  const record = {
    id,
    name: 'web',
    imageId: '',
    createdAtMs: 0,
    labels: {},
    ownVolumes: {},
    spec: { ...plainContainer, mounts },
  }
  fs.mkdirSync(join(folder, 'containers', id), { recursive: true })
  fs.writeFileSync(join(folder, 'containers', id, 'container.json'), JSON.stringify(record))
})
afterEach(() => fs.rmSync(folder, { recursive: true, force: true }))

const verbs = () =>
  fileVerbs({ store: openStore(folder), machine: rootMachine, runtime: async () => 'runc' }, async () => root)

type Entry = Partial<TarHeader> & { readonly name: string; readonly text?: string }

function pack(...entries: readonly Entry[]): Promise<Uint8Array> {
  return packTar(
    entries.map(({ text = '', ...header }) => {
      const size = Buffer.byteLength(text)
      return { header: { type: 'file', mode: 0o644, ...own, ...header, size }, body: text }
    }),
  )
}

const put = (to: string, archive: Uint8Array | Readable) => verbs().putArchive(id, to, archive, {})

describe('an archive', () => {
  test('keeps modes, times, links and hard links, and replaces what is there', async () => {
    fs.symlinkSync(folder, join(root, 'etc/link'))
    fs.mkdirSync(join(root, 'etc/was-folder/below'), { recursive: true })
    const mtime = new Date(1_000_000_000_000)
    const archive = await pack(
      { name: 'a/b/file', text: 'one', mode: 0o4751, mtime },
      { name: 'a/', type: 'directory', mode: 0o700, mtime },
      { name: 'link/', type: 'directory', mode: 0o755 },
      { name: 'link/inside', text: 'two' },
      { name: 'was-folder', text: 'three' },
      { name: 'a/symbolic', type: 'symlink', linkname: '../../nowhere' },
      { name: 'a/hard', type: 'link', linkname: 'a/b/file' },
      { name: 'pipe', type: 'fifo', mode: 0o640 },
      { name: 'x'.repeat(200), text: 'long' },
    )
    await put('/etc', archive)
    const stat = (name: string) => fs.lstatSync(join(root, 'etc', name))
    expect(stat('a/b/file').mode & 0o7777).toBe(0o4751)
    expect(stat('a/b/file').nlink).toBe(2)
    expect(stat('a').mode & 0o7777).toBe(0o700)
    expect([stat('a').mtimeMs, stat('a/b/file').mtimeMs]).toEqual([+mtime, +mtime])
    expect(stat('link').isDirectory()).toBe(true)
    expect(fs.existsSync(join(folder, 'inside'))).toBe(false)
    expect(fs.readFileSync(join(root, 'etc/was-folder'), 'utf8')).toBe('three')
    expect(fs.readlinkSync(join(root, 'etc/a/symbolic'))).toBe('../../nowhere')
    expect(stat('pipe').isFIFO()).toBe(true)
    expect(fs.readFileSync(join(root, 'etc', 'x'.repeat(200)), 'utf8')).toBe('long')
  })

  test.each(['/', '../../..', '/../../etc', '/proc/self/root/'])(
    'never leaves the root through a link to %s',
    async (target) => {
      fs.symlinkSync(target, join(root, 'out'))
      fs.symlinkSync(`out${folder}`, join(root, 'etc/far'))
      await put('/', await pack({ name: 'out/landed', text: 'x' })).catch(() => {})
      await put('/', await pack({ name: 'etc/far/landed', text: 'y' })).catch(() => {})
      expect(fs.existsSync('/landed')).toBe(false)
      expect(fs.existsSync(join(folder, 'landed'))).toBe(false)
    },
  )

  test.each(['../x', 'a/../../x', '/../x'])('with the entry %s is refused', async (name) => {
    await expect(put('/etc', await pack({ name, text: 'x' }))).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    expect(fs.existsSync(join(root, 'x'))).toBe(false)
  })

  test('reaches mounts, and neither replaces one nor writes into one that is read-only', async () => {
    await put('/', await pack({ name: 'var/volume/deep/file', text: 'x' }))
    expect(fs.readFileSync(join(folder, 'volume/deep/file'), 'utf8')).toBe('x')
    const refused = { code: 'ENGINE_REFUSED' }
    await expect(put('/', await pack({ name: 'var/volume', text: 'x' }))).rejects.toMatchObject(refused)
    await expect(put('/', await pack({ name: 'var', text: 'x' }))).rejects.toMatchObject(refused)
    await expect(put('/', await pack({ name: 'etc/read-only/x', text: 'x' }))).rejects.toMatchObject(refused)
    await expect(put('/etc/read-only', await pack({ name: 'x', text: 'x' }))).rejects.toMatchObject(refused)
    expect(fs.readdirSync(join(folder, 'read-only'))).toEqual([])
  })

  test('that is cut or damaged is refused, and an error of its source is the failure', async () => {
    const archive = await pack({ name: 'file', text: 'x'.repeat(10_000) })
    const unsound = { code: 'ENGINE_REFUSED', message: expect.stringContaining('not sound') }
    await expect(put('/etc', archive.subarray(0, 5000))).rejects.toMatchObject(unsound)
    await expect(put('/etc', Buffer.from('not a tar archive '.repeat(100)))).rejects.toMatchObject(unsound)
    const broken = new Error('broken')
    const source = Readable.from(
      (function* () {
        yield archive.subarray(0, 5000)
        throw broken
      })(),
    )
    await expect(put('/etc', source)).rejects.toBe(broken)
  })

  test.each(['gnu', 'oldgnu', 'posix', 'ustar', 'v7'])(
    'of GNU tar (--format %s), also with sparse files',
    async (format) => {
      const from = join(folder, 'from')
      fs.mkdirSync(join(from, 'folder'), { recursive: true })
      const file = fs.openSync(join(from, 'folder/sparse'), 'w')
      for (const at of [0, 300_000, 900_000, 2_000_000]) fs.writeSync(file, 'data', at)
      fs.ftruncateSync(file, 3_000_000)
      fs.closeSync(file)
      const words = ['--format', format, ...(/gnu|posix/.test(format) ? ['-S'] : []), '-c', '-C', from, '.']
      const { stdout } = spawnSync('tar', words, { maxBuffer: 1 << 24 })
      await put('/etc', stdout)
      expect(
        fs.readFileSync(join(root, 'etc/folder/sparse')).equals(fs.readFileSync(join(from, 'folder/sparse'))),
      ).toBe(true)
    },
  )

  test('cannot be put where no folder is', async () => {
    fs.writeFileSync(join(root, 'etc/file'), '')
    await expect(put('/no/such', await pack())).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(put('/etc/file', await pack())).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
  })
})

describe('reading', () => {
  const names = async (path: string) =>
    (await unpackTar(await verbs().getArchive(id, path, 1e6, {}))).map(({ header }) => header.name)

  test('names entries as Docker does', async () => {
    fs.mkdirSync(join(root, 'etc/apt'))
    fs.writeFileSync(join(root, 'etc/apt/file'), '')
    fs.symlinkSync('/etc/apt', join(root, 'link'))
    expect(await names('/etc/apt')).toEqual(['apt/', 'apt/file'])
    expect(await names('/etc/apt/.')).toEqual(['./', './file'])
    expect(await names('/etc/apt/file')).toEqual(['file'])
    expect(await names('/link')).toEqual(['link'])
    expect(await names('/link/')).toEqual(['link/', 'link/file'])
    expect(await names('/')).toEqual(expect.arrayContaining(['/', '/etc/', '/etc/apt/file']))
  })

  test('packs what GNU tar unpacks to the same', async () => {
    const from = join(root, 'tree')
    fs.mkdirSync(join(from, `long-${'n'.repeat(150)}`), { recursive: true })
    fs.writeFileSync(join(from, 'grüße'), 'x'.repeat(1000), { mode: 0o640 })
    fs.writeFileSync(Buffer.concat([Buffer.from(`${from}/`), Buffer.from([0xff, 0xfe])]), 'bytes')
    fs.linkSync(join(from, 'grüße'), join(from, 'second'))
    fs.symlinkSync('l'.repeat(180), join(from, 'link'))
    const to = join(folder, 'unpacked')
    fs.mkdirSync(to)
    spawnSync('tar', ['-x', '-C', to], { input: await verbs().getArchive(id, '/tree', 1e6, {}) })
    expect(spawnSync('diff', ['-r', '--no-dereference', from, join(to, 'tree')], { encoding: 'utf8' }).stdout).toBe('')
    expect(fs.statSync(join(to, 'tree/second')).nlink).toBe(2)
  })

  test('follows no link out of the root', async () => {
    fs.symlinkSync(join(folder, 'secret'), join(root, 'etc/one'))
    fs.symlinkSync(`../../..${folder}`, join(root, 'etc/two'))
    await expect(names('/etc/two/secret')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await verbs().statPath(id, '/etc/one', {})).toEqual({ kind: 'link', target: join(folder, 'secret') })
    expect(await verbs().statPath(id, '/etc/two', {})).toEqual({ kind: 'link', target: folder })
    expect(await verbs().statPath(id, '/etc/two/secret', {})).toBeUndefined()
  })

  test('gives up on a circle of links, and on too many', async () => {
    fs.symlinkSync('circle', join(root, 'circle'))
    for (let i = 0; i < 10_000; i++) fs.symlinkSync(`link-${i + 1}`, join(root, `link-${i}`))
    expect(await verbs().statPath(id, '/circle', {})).toBeUndefined()
    expect(await verbs().statPath(id, '/link-0/', {})).toBeUndefined()
    await expect(names('/link-0/x')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  test('never opens a pipe', async () => {
    execFileSync('mkfifo', [join(root, 'etc/pipe')])
    const [entry] = await unpackTar(await verbs().getArchive(id, '/etc/pipe', 1e6, {}))
    expect(entry?.header).toMatchObject({ name: 'pipe', type: 'fifo' })
  })

  test('leaves no file open', async () => {
    const count = () => fs.readdirSync('/proc/self/fd').length
    await put('/etc', await pack({ name: 'a/b/c/d', text: 'x' }))
    const before = count()
    for (let i = 0; i < 5; i++) {
      await put('/etc', await pack({ name: 'a/b/c/d', text: 'x' }, { name: 'e/f', text: 'x' }))
      await names('/etc/a')
      await names('/no/such').catch(() => {})
      await put('/etc', await pack({ name: '../x' })).catch(() => {})
      for await (const _ of verbs().readArchive(id, '/', {})) break
      await verbs().statPath(id, '/etc/a/../a/b/c/d', {})
    }
    expect(count()).toBe(before)
  })
})
