import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { unpackTar } from 'modern-tar'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { leaveOut } from './leave-out.ts'

const long = 'x'.repeat(180)
const root = mkdtempSync(join(tmpdir(), 'testfleet-leave-out-'))
beforeAll(() => {
  for (const folder of ['data/inner', `data/${long}/${long}`, 'data/inner2'])
    mkdirSync(join(root, folder), { recursive: true })
  writeFileSync(join(root, 'data/inner/secret'), 'secret')
  writeFileSync(join(root, 'data/inner2/file'), 'stays')
  writeFileSync(join(root, `data/${long}/${long}/file`), 'y'.repeat(100_000))
  writeFileSync(join(root, 'data/ü'), 'stays')
  symlinkSync(`${long}/${long}`, join(root, 'data/link'))
})
afterAll(() => rmSync(root, { recursive: true }))

/** Cuts the archive at other places than its blocks. */
async function* cut(archive: Uint8Array, bytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < archive.length; at += bytes) yield archive.subarray(at, at + bytes)
}

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of chunks) parts.push(chunk)
  return Buffer.concat(parts)
}

describe.each(['gnu', 'pax', 'ustar'] as const)('an archive in the format of %s', (format) => {
  const pack = (): Buffer => {
    const left = format === 'ustar' ? ['--exclude', `data/${long}`, '--exclude', 'data/link'] : []
    return execFileSync('tar', ['-c', '-C', root, `--format=${format}`, '--sort=name', ...left, 'data'])
  }

  test('is copied byte by byte when nothing is left out', async () => {
    const archive = pack()
    for (const bytes of [100, 512, 65_536]) {
      expect((await collect(leaveOut(cut(archive, bytes), []))).equals(archive)).toBe(true)
    }
  })

  test('loses a folder with everything in it, and no other', async () => {
    const archive = await collect(leaveOut(cut(pack(), 1000), ['data/inner', 'data/none']))
    const all = (await unpackTar(pack())).map(({ header }) => header.name)
    const kept = (await unpackTar(archive)).map(({ header }) => header.name)
    expect(kept).toEqual(all.filter((name) => !/^data\/inner(?:\/|$)/.test(name)))
    expect(kept.length).toBeGreaterThan(3)
    expect(archive.includes('secret')).toBe(false)
  })

  test.runIf(format !== 'ustar')('loses a folder whose path is only in an extended header', async () => {
    const archive = await collect(leaveOut(cut(pack(), 1000), [`data/${long}/${long}`]))
    const kept = (await unpackTar(archive)).map(({ header }) => header.name.replace(/\/$/, ''))
    expect(kept).toEqual([
      'data',
      'data/inner',
      'data/inner/secret',
      'data/inner2',
      'data/inner2/file',
      'data/link',
      `data/${long}`,
      'data/ü',
    ])
  })
})

test('an extended header that is too long is refused before it is read', async () => {
  const header = Buffer.alloc(512)
  header.write('x', 156)
  header.write('77777777777', 124)
  await expect(collect(leaveOut(cut(header, 512), []))).rejects.toThrow('too long')
})

test('a cut archive gives what it has', async () => {
  const archive = execFileSync('tar', ['-c', '-C', root, 'data'])
  const half = archive.subarray(0, archive.length / 2)
  expect((await collect(leaveOut(cut(half, 700), []))).equals(half)).toBe(true)
})
