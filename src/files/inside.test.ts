import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isFailure } from '../model/failures.ts'
import { readBytesInside, readTextInside, UnfitFile } from './inside.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-inside-'))
  await mkdir(join(folder, 'root'))
  await writeFile(join(folder, 'outside'), 'secret')
})

afterEach(() => rm(folder, { recursive: true, force: true }))

describe('reading a small file', () => {
  const read = (name: string, maxBytes = 10) =>
    readBytesInside(join(folder, 'root', name), join(folder, 'root'), maxBytes)

  test('succeeds up to the size limit', async () => {
    await writeFile(join(folder, 'root/file'), '0123456789')
    expect((await read('file')).toString()).toBe('0123456789')
    await expect(read('file', 9)).rejects.toMatchObject({ kind: 'too large', sizeBytes: 10 })
  })

  test.each(['../outside', 'link', 'folder-link/outside'])('is refused through %s', async (name) => {
    await symlink('../outside', join(folder, 'root/link'))
    await symlink('..', join(folder, 'root/folder-link'))
    const error = await read(name).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(UnfitFile)
    expect(error).toMatchObject({ kind: 'outside' })
    const request = { folder: join(folder, 'root'), maxBytes: 10 }
    const path = join(folder, 'root', name)
    await expect(readTextInside(path, { ...request, mayLeave: false })).rejects.toThrow(/leads out of/)
    expect(await readTextInside(path, { ...request, mayLeave: true })).toBe('secret')
  })

  test.each(['pipe', 'device', 'folder'])('is refused for a %s', async (name) => {
    if (name === 'pipe') execFileSync('mkfifo', [join(folder, 'root/pipe')])
    if (name === 'folder') await mkdir(join(folder, 'root/folder'))
    const path = name === 'device' ? '/dev/zero' : join(folder, 'root', name)
    await expect(readBytesInside(path, undefined, 10)).rejects.toMatchObject({ kind: 'no file' })
  })

  test('without a known size stops at the limit', async () => {
    await expect(readBytesInside('/proc/self/maps', undefined, 10)).rejects.toMatchObject({ kind: 'too large' })
  })
})

/** Alternates between a file and a named pipe at the same path. */
const swap = `
const { execFileSync } = require('node:child_process')
const { linkSync, renameSync, writeFileSync } = require('node:fs')
writeFileSync('a', 'text')
execFileSync('mkfifo', ['b'])
process.stdout.write('ready')
for (let turn = 0; ; turn++) {
  linkSync(turn % 2 ? 'a' : 'b', 'next')
  renameSync('next', 'file')
}`

test('a file that is replaced by a named pipe never blocks a call', async () => {
  const swapper = spawn(process.execPath, ['-e', swap], {
    cwd: join(folder, 'root'),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  try {
    await once(swapper.stdout, 'data')
    const ends = new Set<string>()
    const isEnough = (): boolean => ends.has('text') && ends.has('no file')
    for (let turns = 0; turns < 500 || !isEnough(); turns++) {
      const end = await readBytesInside(join(folder, 'root/file'), join(folder, 'root'), 10).then(String, (error) => {
        if (error instanceof UnfitFile) return error.kind
        return isFailure(error) ? error.code : error.code
      })
      ends.add(end)
    }
    for (const end of ends) expect(['text', 'no file', 'CONTEXT_CHANGED', 'ENOENT']).toContain(end)
  } finally {
    swapper.kill('SIGKILL')
    await once(swapper, 'exit')
  }
})
