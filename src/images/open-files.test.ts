import { readdirSync, readlinkSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { loadFleet } from '../config/load-fleet.ts'
import { currentHost } from '../current-host.ts'
import { packArchive } from '../files/archive.ts'
import { imageOf } from '../model/fleet.ts'
import type { ContextEntry } from '../model/plan.ts'
import { prepareBuild } from './prepare-build.ts'

const FILES = 40
/** Most files are small; a large one is read in several pieces. */
const sizeOf = (index: number): number => (index % 5 === 0 ? 200_000 : 10_000)

let folder: string

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'open-files-')))
  await mkdir(join(folder, 'tree'))
  for (let index = 0; index < FILES; index++)
    await writeFile(join(folder, `tree/${index}`), Buffer.alloc(sizeOf(index), index))
  const text = 'servers:\n  web:\n    build: { copy: [{ from: tree, to: /x }] }\n'
  await writeFile(join(folder, 'testfleet.yaml'), text)
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

/** Files of the folder that this process has open. */
function listOpen(): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      return [readlinkSync(`/proc/self/fd/${descriptor}`)].filter((path) => path.startsWith(folder))
    } catch {
      // The descriptor with which the list itself was read.
      return []
    }
  })
}

/** A stream that was destroyed closes its file a moment later. */
async function expectNoneOpen(): Promise<void> {
  await eventually(() => expect(listOpen()).toEqual([]))
}

async function prepare(signal?: AbortSignal): Promise<readonly ContextEntry[]> {
  const fleet = await loadFleet({ kind: 'file', named: 'testfleet.yaml' }, { ...currentHost(), workingFolder: folder })
  const image = imageOf(fleet.servers.get('web'))
  if (image?.kind !== 'built') throw new Error('it is not built')
  const base = { reference: 'a', identity: 'b', prepared: undefined }
  const { content } = await prepareBuild(image.recipe, base, fleet, signal)
  return content.kind === 'steps' ? content.copies.flatMap(({ entries }) => entries) : content.entries
}

async function pack(entries: readonly ContextEntry[]): Promise<number> {
  let length = 0
  for await (const chunk of packArchive(entries)) length += (chunk as Uint8Array).length
  return length
}

describe.skipIf(process.platform !== 'linux')('no file stays open', () => {
  test('after all files are read and packed', async () => {
    expect(await pack(await prepare())).toBeGreaterThan((FILES / 5) * 200_000 + (FILES - FILES / 5) * 10_000)
    await expectNoneOpen()
  })

  test('when the fleet file is invalid, not text, or too large', async () => {
    for (const content of ['servers: 3\n', Buffer.from([0xff]), Buffer.alloc(2 * 1024 * 1024, 0x23)]) {
      await writeFile(join(folder, 'testfleet.yaml'), content)
      await expect(prepare()).rejects.toMatchObject({ code: 'FLEET_FILE_INVALID' })
      await expectNoneOpen()
    }
  })

  test.skipIf(process.getuid?.() === 0)('when a file cannot be read', async () => {
    await chmod(join(folder, 'tree/20'), 0)
    await expect(prepare()).rejects.toMatchObject({ code: 'FLEET_FILE_INVALID' })
    await expectNoneOpen()
  })

  test('when the call is cancelled during the read', async () => {
    const controller = new AbortController()
    const prepared = prepare(controller.signal)
    // Once some of them are open, or all of them have been read.
    const isDone = prepared.then(
      () => true,
      () => true,
    )
    while (listOpen().every((path) => !path.includes('/tree/')) && !(await Promise.race([isDone, sleep(0, false)])));
    controller.abort()
    await expect(prepared).rejects.toMatchObject({ name: 'AbortError' })
    await expectNoneOpen()
  })

  test.each<[string, (path: string) => Promise<void>]>([
    ['has grown', (path) => writeFile(path, Buffer.alloc(300_000))],
    ['has shrunk', (path) => writeFile(path, 'x')],
    ['holds something else', (path) => writeFile(path, Buffer.alloc(200_000, 99))],
    ['is gone', (path) => rm(path)],
    ['is a folder now', (path) => rm(path).then(() => mkdir(path))],
  ])('when a file %s before it is packed', async (_, change) => {
    const entries = await prepare()
    await change(join(folder, 'tree/5'))
    await expect(pack(entries)).rejects.toMatchObject({ code: 'CONTEXT_CHANGED' })
    await expectNoneOpen()
  })

  test('when the reader of the archive stops', async () => {
    const archive = packArchive(await prepare())
    for await (const chunk of archive) if ((chunk as Uint8Array).length > 1000) break
    expect(archive.destroyed).toBe(true)
    await expectNoneOpen()
  })
})
