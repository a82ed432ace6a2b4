import { chmod, mkdir, mkdtemp, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openBundleFolder } from './folder.ts'
import { mark, removeOldBundles } from './remove-old.ts'

let parent: string

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'remove-old-'))
})

afterEach(() => rm(parent, { recursive: true }))

/** Creates a bundle with a known name. */
async function makeBundle(fleet: string, name: string, atMs?: number): Promise<string> {
  const folder = await openBundleFolder(parent, fleet, (_, error) => {
    throw error
  })
  await mark(folder, fleet)
  if (atMs !== undefined) {
    await writeFile(join(folder.path, 'bundle.json'), JSON.stringify({ testfleetBundle: 1, fleet, atMs }))
  }
  const path = join(parent, `testfleet-${name}`)
  await rename(folder.path, path)
  return path
}

const keep = () => removeOldBundles(parent, 'shop', process.getuid?.())

test('keeps the ten newest bundles of a fleet', async () => {
  for (let count = 1; count <= 12; count++) await makeBundle('shop', `shop-${count}`, count)
  await makeBundle('other', 'other', 0)
  await keep()
  const names = Array.from({ length: 10 }, (_, index) => `testfleet-shop-${index + 3}`)
  expect((await readdir(parent)).sort()).toEqual([...names, 'testfleet-other'].sort())
})

test('never removes folders that only look like bundles', async () => {
  for (let count = 1; count <= 10; count++) await makeBundle('shop', `shop-${count}`)
  const old = await makeBundle('shop', 'kept-open', 1)
  await chmod(old, 0o755)
  await mkdir(join(parent, 'testfleet-shop-unmarked'), { mode: 0o700 })
  await writeFile(join(parent, 'testfleet-shop-file'), '')
  const outside = await makeBundle('shop', 'outside', 2)
  await rename(outside, join(parent, 'elsewhere'))
  await symlink(join(parent, 'elsewhere'), join(parent, 'testfleet-shop-link'))
  await keep()
  expect(await readdir(parent)).toHaveLength(10 + 5)
})
