import { chmod, cp, mkdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeFleetFolder, removeFleetFolders } from '../support/command.ts'
import { type Build, type ImageHarness, openImageHarness } from '../support/image-harness.ts'
import { askEngine } from '../support/raw-engine.ts'

let images: ImageHarness

beforeAll(async () => {
  images = await openImageHarness()
})

afterAll(async () => {
  await images.close()
  await removeFleetFolders()
})

const files = {
  'site/index.html': 'hello\n',
  'site/deep/er/run.sh': '#!/bin/sh\n',
  conf: 'a=1\n',
}

const site = { from: 'site', to: '/srv/site' }
const conf = { from: 'conf', to: '/etc/conf' }
const hi = { content: 'hi\n', to: '/hi' }

const recipe = {
  packages: ['curl', 'nginx'],
  environment: { LEVEL: '1' },
  copy: [site, conf, hi],
  run: ['true'],
} satisfies Build

async function digestOf(build: Build, folder: string): Promise<string> {
  return (await images.digests({ servers: { one: { build } } }, folder)).one ?? ''
}

/** The digest before and after something was done to the fleet's folder. */
async function digestsAround(change: (folder: string) => Promise<unknown>): Promise<[string, string]> {
  const folder = await makeFleetFolder(files)
  const before = await digestOf(recipe, folder)
  expect(before).toMatch(/^testfleet\/images-[0-9a-f]{6}-one:[0-9a-f]{16}$/)
  await change(folder)
  return [before, await digestOf(recipe, folder)]
}

describe('the name of an image does not depend on', () => {
  test.each<[string, (folder: string) => Promise<unknown>]>([
    ['the time of a file', (folder) => utimes(join(folder, 'conf'), 1, 1)],
    ['whether the umask was 022 or 002', (folder) => chmod(join(folder, 'conf'), 0o664)],
    ['a file beside what is copied', (folder) => writeFile(join(folder, 'README'), 'new')],
    [
      'the order in which files were made',
      async (folder) => {
        await rename(join(folder, 'site/index.html'), join(folder, 'index.html'))
        await rename(join(folder, 'site/deep'), join(folder, 'deep'))
        await rename(join(folder, 'deep'), join(folder, 'site/deep'))
        await rename(join(folder, 'index.html'), join(folder, 'site/index.html'))
      },
    ],
  ])('%s', async (_, change) => {
    const [before, after] = await digestsAround(change)
    expect(after).toBe(before)
  })

  test('the folder of the fleet file', async () => {
    const folder = await makeFleetFolder(files)
    const elsewhere = await makeFleetFolder({})
    await cp(folder, join(elsewhere, 'a copy'), { recursive: true })
    expect(await digestOf(recipe, join(elsewhere, 'a copy'))).toBe(await digestOf(recipe, folder))
  })

  test('the order of its packages', async () => {
    const folder = await makeFleetFolder(files)
    const turned = { ...recipe, packages: [...recipe.packages].reverse() }
    expect(await digestOf(turned, folder)).toBe(await digestOf(recipe, folder))
  })
})

describe('the name of an image depends on', () => {
  test.each<[string, (folder: string) => Promise<unknown>]>([
    ['one byte', (folder) => writeFile(join(folder, 'site/deep/er/run.sh'), '#!/bin/sH\n')],
    ['who else may read a file', (folder) => chmod(join(folder, 'conf'), 0o600)],
    ['who may enter a folder', (folder) => chmod(join(folder, 'site/deep'), 0o700)],
    ['whether a file can be run', (folder) => chmod(join(folder, 'site/deep/er/run.sh'), 0o755)],
    ['the name of a file', (folder) => rename(join(folder, 'site/index.html'), join(folder, 'site/index.htm'))],
    ['one file more', (folder) => writeFile(join(folder, 'site/empty'), '')],
    ['one file less', (folder) => rm(join(folder, 'site/index.html'))],
    ['one empty folder more', (folder) => mkdir(join(folder, 'site/logs'))],
    ['a link', (folder) => symlink('index.html', join(folder, 'site/link'))],
    [
      'a file that a link has become',
      async (folder) => {
        await rm(join(folder, 'conf'))
        await writeFile(join(folder, 'other'), 'a=2\n')
        await symlink('other', join(folder, 'conf'))
      },
    ],
    [
      'bytes that moved from one file to the next',
      async (folder) => {
        await writeFile(join(folder, 'site/index.html'), 'hell')
        await writeFile(join(folder, 'conf'), 'o\na=1\n')
      },
    ],
  ])('%s', async (_, change) => {
    const [before, after] = await digestsAround(change)
    expect(after).not.toBe(before)
  })

  test('every part of its recipe', async () => {
    const folder = await makeFleetFolder(files)
    const variants: Build[] = [
      recipe,
      { ...recipe, packages: ['curl'] },
      { ...recipe, packages: ['curl', 'nginx=1.22.1-9'] },
      { ...recipe, environment: { LEVEL: '2' } },
      { ...recipe, environment: {} },
      { ...recipe, run: ['true '] },
      { ...recipe, run: ['true', 'true'] },
      { ...recipe, run: [] },
      { ...recipe, copy: [site, conf, { ...hi, content: 'hi' }] },
      { ...recipe, copy: [site, conf, { ...hi, to: '/ho' }] },
      { ...recipe, copy: [site, { ...conf, mode: '0600' }, hi] },
      { ...recipe, copy: [site, { ...conf, mode: '0755' }, hi] },
      { ...recipe, copy: [site, { ...conf, owner: 'www-data' }, hi] },
      { ...recipe, copy: [site, { ...conf, owner: 'www-data:adm' }, hi] },
      { ...recipe, copy: [{ ...site, mode: '0640' }, conf, hi] },
      { ...recipe, copy: [hi, conf, site] },
      { ...recipe, copy: [site, { ...conf, mtime: 0 }, hi] },
      { ...recipe, copy: [site, conf, { ...hi, mtime: '2020-01-01' }] },
      { ...recipe, from: images.harness.image.replace(/:.*/, ':other') },
    ]
    const digests = await Promise.all(variants.map((build) => digestOf(build, folder)))
    expect(new Set(digests).size).toBe(variants.length)
  })

  test('a mode only if it differs from the mode that the file would have', async () => {
    const folder = await makeFleetFolder(files)
    const explicit = { ...recipe, copy: [site, { ...conf, mode: '0644' }, hi] }
    expect(await digestOf(explicit, folder)).toBe(await digestOf(recipe, folder))
  })

  test('the id of the image that it starts from, not on the name of that image', async () => {
    const folder = await makeFleetFolder(files)
    const from = `testfleet/${images.fleet}-from:1`
    const build = { ...recipe, from }
    const tag = (image: string) => askEngine('POST', `/images/${image}/tag?repo=testfleet/${images.fleet}-from&tag=1`)
    const make = async (content: string): Promise<string> => {
      const name = `from-${content}`
      const servers = { [name]: { build: { copy: [{ content, to: '/one' }] } } }
      const built = (await images.build({ servers }, folder)).get(name)
      return (await images.harness.engine.inspectImage(built?.reference ?? ''))?.id ?? ''
    }
    const [first, second] = [await make('1'), await make('2')]
    await tag(first)
    const [one, again] = [await digestOf(build, folder), await digestOf(build, folder)]
    await tag(second)
    expect(again).toBe(one)
    expect(await digestOf(build, folder)).not.toBe(one)
  })

  test('the base of the fleet, for every built image', async () => {
    const folder = await makeFleetFolder(files)
    const servers = { one: { build: recipe }, two: { build: {} }, three: { image: images.harness.image } }
    const [bare, based, other] = [
      await images.digests({ servers }, folder),
      await images.digests({ servers, base: { run: ['true'] } }, folder),
      await images.digests({ servers, base: { copy: [{ from: 'conf', to: '/conf' }] } }, folder),
    ]
    for (const name of ['one', 'two']) expect(new Set([bare[name], based[name], other[name]]).size).toBe(3)
    expect(new Set([bare.three, based.three, other.three]).size).toBe(1)
  })
})
