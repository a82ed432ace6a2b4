import { execFileSync } from 'node:child_process'
import { chmod, link, mkdir, mkdtemp, readFile, realpath, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packArchive } from '../files/archive.ts'
import { readIgnoreFile } from '../formats/ignore-file.ts'
import { isFailure } from '../model/failures.ts'
import type { ContextEntry } from '../model/plan.ts'
import { type CollectOptions, collectFiles } from './collect-files.ts'

const OUTSIDE = 'what nobody may see'
const CHANGED = { code: 'CONTEXT_CHANGED' }

let top: string
/** The fleet's folder. */
let root: string
/** A folder next to it. */
let outside: string

beforeEach(async () => {
  top = await realpath(await mkdtemp(join(tmpdir(), 'collect-')))
  root = join(top, 'fleet')
  outside = join(top, 'outside')
  await mkdir(join(root, 'data/deep'), { recursive: true })
  await mkdir(join(outside, 'deep'), { recursive: true })
  await writeFile(join(root, 'data/deep/file'), 'inside')
  await writeFile(join(outside, 'deep/file'), OUTSIDE)
})

afterEach(async () => {
  await rm(top, { recursive: true })
})

function collect(path = 'data', options: Partial<CollectOptions> = {}): Promise<ContextEntry[]> {
  return collectFiles(join(root, path), { root, ...options })
}

async function pack(entries: readonly ContextEntry[]): Promise<string> {
  return Buffer.concat(await packArchive(entries).toArray()).toString('latin1')
}

/** Collects, and runs `then` at the moment when a path has been found and not yet been read. */
function collectAnd(found: string, swap: () => void): Promise<ContextEntry[]> {
  return collect('data', {
    ignore: {
      ignores(path) {
        if (path === found) swap()
        return false
      },
      mayKeepInside: () => false,
    },
  })
}

function run(...words: [string, ...string[]]): void {
  execFileSync(words[0], words.slice(1))
}

describe('an ignored folder', () => {
  /** Collects the content of the fleet's folder. Returns the entries and the paths that were examined. */
  async function collectWith(text: string): Promise<{ entries: string[]; seen: string[] }> {
    const { ignores, mayKeepInside } = readIgnoreFile(text)
    const seen: string[] = []
    const note = (path: string): boolean => {
      seen.push(path)
      return ignores(path)
    }
    const entries = await collect('.', { ignore: { ignores: note, mayKeepInside } })
    return { entries: entries.map(({ path }) => path), seen }
  }

  test.each(['data', 'data/\n!other', '*\n!*.md'])('is not entered, and need not be readable: %j', async (text) => {
    await chmod(join(root, 'data'), 0)
    expect(await collectWith(text)).toEqual({ entries: ['.'], seen: ['data'] })
    await chmod(join(root, 'data'), 0o755)
  })

  test('is entered for files that an exception includes', async () => {
    await writeFile(join(root, 'data/other'), '')
    expect(await collectWith('data\n!data/deep/*')).toEqual({
      entries: ['.', 'data/deep/file'],
      seen: ['data', 'data/deep', 'data/deep/file', 'data/other'],
    })
  })
})

describe('a file or folder that is replaced after the check', () => {
  const file = (): string => join(root, 'data/deep/file')
  const swaps: [string, () => void][] = [
    ['a link that leaves', () => run('ln', '-sf', join(outside, 'deep/file'), file())],
    ['a link to the environment of the process', () => run('ln', '-sf', '/proc/self/environ', file())],
    ['a link to a device', () => run('ln', '-sf', '/dev/zero', file())],
    ['a named pipe', () => run('sh', '-c', 'rm "$0" && mkfifo "$0"', file())],
    ['a folder', () => run('sh', '-c', 'rm "$0" && mkdir "$0"', file())],
    ['nothing', () => run('rm', file())],
    ['a file in a folder elsewhere', () => swapFolder('data')],
    ['a file in a folder elsewhere, deeper', () => swapFolder('data/deep')],
  ]

  function swapFolder(folder: string): void {
    const path = join(root, folder)
    const elsewhere = join(outside, folder.replace(/^data\/?/, ''))
    run('sh', '-c', 'mv "$0" "$1" && ln -s "$2" "$0"', path, join(top, 'aside'), elsewhere)
  }

  test.each(swaps)('is not read: %s', async (_, swap) => {
    await expect(collectAnd('deep/file', swap)).rejects.toSatisfy(
      (error) => isFailure(error, 'CONTEXT_CHANGED') || isFailure(error, 'FLEET_FILE_INVALID'),
    )
  })

  test.each(swaps)('is not packed: %s', async (_, swap) => {
    const entries = await collect()
    swap()
    await expect(pack(entries)).rejects.toMatchObject(CHANGED)
  })

  test('is not even listed: a folder', async () => {
    await expect(collectAnd('deep', () => swapFolder('data/deep'))).rejects.toMatchObject(CHANGED)
  })
})

test('sockets and pipes are left out of a folder, and reported', async () => {
  run('mkfifo', join(root, 'data/deep/pipe'), join(root, 'data/ignored'))
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(join(root, 'data/app.sock'), resolve))
  const leftOut: string[] = []
  const ignore = readIgnoreFile('ignored')
  const entries = await collect('data', { ignore, onLeftOut: (path) => void leftOut.push(path) })
  await new Promise((resolve) => server.close(resolve))
  expect(entries.map(({ path }) => path)).toEqual(['.', 'deep', 'deep/file'])
  expect(leftOut).toEqual(['data/app.sock', 'data/deep/pipe'])
})

describe('a path that is not a file or folder', () => {
  test('is refused without hanging: a named pipe, a socket, a device', async () => {
    run('mkfifo', join(root, 'pipe'))
    await expect(collect('pipe')).rejects.toThrow('pipe is neither a file nor a folder')
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(join(root, 'socket'), resolve))
    await expect(collect('socket')).rejects.toThrow('socket is neither a file nor a folder')
    await new Promise((resolve) => server.close(resolve))
    await expect(collectFiles('/dev/null', { root, mayLeave: true })).rejects.toThrow('is neither a file nor a')
  })
})

describe('a path outside the folder of the fleet', () => {
  test('is read if it may be outside', async () => {
    expect(await pack(await collect('../outside', { mayLeave: true }))).toContain(OUTSIDE)
  })

  test('is refused otherwise', async () => {
    await expect(collect('../outside')).rejects.toThrow("outside leads out of the fleet's folder")
  })
})

describe('a link in a folder', () => {
  test.each([
    ['to a file next to it', 'file'],
    ['to a file elsewhere in the fleet', '../../other'],
    ['to an absolute path of the server', '/etc/nginx/sites-available/site'],
    ['that leads out of the fleet', '../../../outside/deep/file'],
    ['that leads out of the fleet, absolute', '/proc/self/environ'],
    ['to nothing', 'nowhere/at all'],
    ['to itself', 'link'],
    ['to a folder', '..'],
  ])('is copied as a link: %s', async (_, target) => {
    await writeFile(join(root, 'other'), OUTSIDE)
    await symlink(target, join(root, 'data/deep/link'))
    const entries = await collect()
    expect(entries.at(-1)).toEqual({ kind: 'link', path: 'deep/link', mode: 0o777, target })
    expect(await pack(entries)).not.toContain(OUTSIDE)
  })

  test('is followed within the fleet if the copy names it', async () => {
    await symlink('data/deep/file', join(root, 'link'))
    expect((await collect('link')).map(({ kind, path }) => `${kind} ${path}`)).toEqual(['file .'])
    await symlink(join(outside, 'deep'), join(root, 'out'))
    await expect(collect('out')).rejects.toThrow("out leads out of the fleet's folder")
  })
})

describe('the mode of a copied file', () => {
  const modesOf = async (options: Partial<CollectOptions> = {}): Promise<string> => {
    const entries = await collect('data', options)
    return entries.map(({ path, mode }) => `${path} ${mode.toString(8)}`).join(', ')
  }

  test.each([
    [0o600, 0o700, '. 755, deep 700, deep/file 600'],
    [0o640, 0o750, '. 755, deep 750, deep/file 640'],
    [0o755, 0o711, '. 755, deep 711, deep/file 755'],
    [0o400, 0o500, '. 755, deep 500, deep/file 400'],
    // Umask 002 and 022 give the same modes, and nobody gets the rights of another user.
    [0o664, 0o775, '. 755, deep 755, deep/file 644'],
    [0o4777, 0o2777, '. 755, deep 755, deep/file 755'],
  ])('is never extended for others: %o', async (file, folder, expected) => {
    await chmod(join(root, 'data'), 0o755)
    await chmod(join(root, 'data/deep/file'), file)
    await chmod(join(root, 'data/deep'), folder)
    expect(await modesOf()).toBe(expected)
    expect(await modesOf({ mode: 0o644 })).toBe('. 755, deep 755, deep/file 644')
    expect(await modesOf({ mode: 0o600 })).toBe('. 700, deep 700, deep/file 600')
  })

  test('of a file of testfleet does not depend on how testfleet was installed', async () => {
    await chmod(join(root, 'data/deep/file'), 0o600)
    await chmod(join(root, 'data/deep'), 0o700)
    expect(await modesOf({ isShipped: true })).toBe('. 755, deep 755, deep/file 644')
    await chmod(join(root, 'data/deep/file'), 0o700)
    expect(await modesOf({ isShipped: true })).toBe('. 755, deep 755, deep/file 755')
  })
})

test('a hard link is copied like any other file', async () => {
  await link(join(outside, 'deep/file'), join(root, 'data/hard'))
  expect(await pack(await collect())).toContain(OUTSIDE)
})

test('a file that is replaced again and again is never read from outside', async () => {
  // One name alternates between a place inside and one outside; so does a folder above another.
  await mkdir(join(root, 'data/turning'))
  await rename(join(root, 'data/deep'), join(root, 'data/turning/deep'))
  const worker = new Worker(
    `const { renameSync, symlinkSync, writeFileSync } = require('node:fs')
     const { workerData: { root, top, outside } } = require('node:worker_threads')
     const turning = root + '/data/turning', file = root + '/data/file', spare = top + '/spare'
     for (;;) {
       writeFileSync(spare, 'inside'); renameSync(spare, file)
       symlinkSync(outside + '/deep/file', spare); renameSync(spare, file)
       renameSync(turning, top + '/aside'); symlinkSync(outside, turning)
       renameSync(turning, top + '/link'); renameSync(top + '/aside', turning)
       require('node:fs').unlinkSync(top + '/link')
     }`,
    { eval: true, workerData: { root, top, outside } },
  )
  const seen = { packed: 0, refused: 0 }
  try {
    const isEnough = (): boolean => seen.refused > 0 && seen.packed + seen.refused > 20
    for (const end = performance.now() + 1000; performance.now() < end || !isEnough(); ) {
      const archive = await collect()
        .then(pack)
        .catch((error: unknown) => {
          expect(['CONTEXT_CHANGED', 'FLEET_FILE_INVALID']).toContain((error as { code?: string }).code)
        })
      if (archive === undefined) seen.refused += 1
      else seen.packed += 1
      expect(archive ?? '').not.toContain(OUTSIDE)
    }
  } finally {
    await worker.terminate()
  }
  expect(await readFile(join(outside, 'deep/file'), 'utf8')).toBe(OUTSIDE)
}, 60_000)
