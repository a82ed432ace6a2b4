import { chmod, mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Mount } from '../model/fleet.ts'
import { digestMounts, type MountBound } from './mount-digests.ts'

let folder = ''

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-mounts-'))
  await mkdir(join(folder, 'site/deep'), { recursive: true })
  await writeFile(join(folder, 'app.conf'), 'one\n')
  await writeFile(join(folder, 'site/deep/x'), 'x')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

const bind = (from: string, writable = false): Mount => {
  return { kind: 'bind', from: join(folder, from), to: `/${from}`, writable, mayLeave: false }
}

async function digest(from: string, bound?: MountBound): Promise<string | undefined> {
  return (await digestMounts({ mounts: [bind(from)] }, folder, undefined, bound))[from]
}

async function replaceFile(path: string, text: string): Promise<void> {
  await writeFile(join(folder, 'new'), text)
  await rename(join(folder, 'new'), join(folder, path))
}

test('the digest of a file depends on its content only', async () => {
  const before = await digest('app.conf')
  await replaceFile('app.conf', 'one\n')
  await utimes(join(folder, 'app.conf'), 1, 1)
  expect(await digest('app.conf')).toBe(before)
  await writeFile(join(folder, 'app.conf'), 'two\n')
  const inPlace = await digest('app.conf')
  expect(inPlace).not.toBe(before)
  await replaceFile('app.conf', 'six\n')
  expect(await digest('app.conf')).not.toBe(inPlace)
})

test.each<[string, () => Promise<void>]>([
  ['a file deep in it', () => writeFile(join(folder, 'site/deep/x'), 'y')],
  ['a new file', () => writeFile(join(folder, 'site/new'), '')],
  ['a file that is gone', () => rm(join(folder, 'site/deep/x'))],
  ['a mode', () => chmod(join(folder, 'site/deep/x'), 0o600)],
  ['the mode of a folder', () => chmod(join(folder, 'site/deep'), 0o700)],
  ['a link', () => symlink('deep', join(folder, 'site/link'))],
  ['another name', () => rename(join(folder, 'site/deep/x'), join(folder, 'site/deep/z'))],
])('the digest of a folder changes with %s', async (_, change) => {
  const before = await digest('site')
  expect(await digest('site')).toBe(before)
  await change()
  expect(await digest('site')).not.toBe(before)
})

test('a folder that was created again counts as changed, because the server still has the removed one', async () => {
  const before = await digest('site')
  await rename(join(folder, 'site'), join(folder, 'old'))
  await mkdir(join(folder, 'site/deep'), { recursive: true })
  await writeFile(join(folder, 'site/deep/x'), 'x')
  expect(await digest('site')).not.toBe(before)
})

test('writable mounts and volumes are left out', async () => {
  const volume: Mount = { kind: 'volume', volume: 'data', to: '/data', writable: false }
  expect(await digestMounts({ mounts: [bind('site', true), volume] }, folder)).toEqual({})
})

test('beyond the limit, a file counts by size and time, and the members of a folder are ignored', async () => {
  const small = { members: 10, bytes: 2 }
  const before = await digest('app.conf', small)
  await utimes(join(folder, 'app.conf'), 5, 5)
  const touched = await digest('app.conf', small)
  expect(touched).not.toBe(before)
  await writeFile(join(folder, 'app.conf'), 'two\n')
  await utimes(join(folder, 'app.conf'), 5, 5)
  expect(await digest('app.conf', small)).toBe(touched)
  const few = { members: 1, bytes: 100 }
  const many = await digest('site', few)
  await writeFile(join(folder, 'site/deep/x'), 'y')
  expect(await digest('site', few)).toBe(many)
  // The server still has the folder that was mounted.
  await rename(join(folder, 'site'), join(folder, 'old'))
  await rename(join(folder, 'old/deep'), join(folder, 'site'))
  await writeFile(join(folder, 'site/y'), 'y')
  expect(await digest('site', few)).not.toBe(many)
})

test('a link out of a mounted folder is not followed', async () => {
  await symlink('/etc/hostname', join(folder, 'site/away'))
  const before = await digest('site')
  await rm(join(folder, 'site/away'))
  await symlink('/etc/passwd', join(folder, 'site/away'))
  expect(await digest('site')).not.toBe(before)
})
