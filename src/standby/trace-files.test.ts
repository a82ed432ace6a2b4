import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterAll, expect, test } from 'vitest'
import { traceFiles } from './trace-files.ts'

const root = mkdtempSync(join(tmpdir(), 'trace-files-'))
afterAll(() => rmSync(root, { recursive: true }))

/** Every file of these tests is new. */
const ANY_AGE = Number.NEGATIVE_INFINITY

function makeFolder(name: string): string {
  const folder = join(root, name)
  mkdirSync(join(folder, 'www'), { recursive: true })
  for (const file of ['one', 'two', 'www/index']) writeFileSync(join(folder, file), 'abc')
  symlinkSync('one', join(folder, 'link'))
  return folder
}

const readers: Record<string, (folder: string) => unknown> = {
  readFile: (folder) => readFile(join(folder, 'one')),
  readFileSync: (folder) => readFileSync(join(folder, 'one')),
  openSync: (folder) => closeSync(openSync(join(folder, 'one'), 'r')),
  statSync: (folder) => statSync(join(folder, 'one')),
  link: (folder) => readFile(join(folder, 'link')),
}

test.each(Object.entries(readers))('a change of a file that was read with %s is noticed', async (name, read) => {
  const folder = makeFolder(name)
  const { states } = await traceFiles(async () => read(folder), ANY_AGE)
  expect(await states?.areSame()).toBe(true)
  writeFileSync(join(folder, 'two'), 'nobody has read it')
  expect(await states?.areSame()).toBe(true)
  writeFileSync(join(folder, 'one'), 'another length')
  expect(await states?.areSame()).toBe(false)
})

test('a file that was missing and a new entry of a folder are noticed', async () => {
  const folder = makeFolder('new')
  const look = async (work: () => unknown) => (await traceFiles(async () => work(), ANY_AGE)).states
  const missing = await look(() => existsSync(join(folder, 'three')))
  const listed = await look(() => readdirSync(join(folder, 'www')))
  const descriptor = openSync(join(folder, 'www'), 'r')
  const byDescriptor = await look(() => readdirSync(`/proc/self/fd/${descriptor}`))
  closeSync(descriptor)
  const onlySeen = await look(() => statSync(join(folder, 'www')))
  writeFileSync(join(folder, 'three'), '')
  writeFileSync(join(folder, 'www/new'), '')
  expect(await Promise.all([missing, listed, byDescriptor, onlySeen].map((states) => states?.areSame()))).toEqual([
    false,
    false,
    false,
    true,
  ])
})

test('a link that leads elsewhere is noticed', async () => {
  const folder = makeFolder('links')
  const { states } = await traceFiles(async () => realpathSync.native(join(folder, 'link')), ANY_AGE)
  expect(await states?.areSame()).toBe(true)
  rmSync(join(folder, 'link'))
  symlinkSync('two', join(folder, 'link'))
  expect(await states?.areSame()).toBe(false)
})

test('a file that is too new, changes meanwhile, or is named by a URL cannot be relied on', async () => {
  const folder = makeFolder('unreliable')
  const file = join(folder, 'one')
  expect((await traceFiles(() => readFile(file))).states).toBeUndefined()
  const change = async (): Promise<void> => {
    await readFile(file)
    writeFileSync(file, 'meanwhile')
  }
  expect((await traceFiles(change, ANY_AGE)).states).toBeUndefined()
  const byUrl = await traceFiles(() => readFile(new URL(`file://${file}`)), ANY_AGE)
  expect(byUrl).toMatchObject({ states: undefined, reliableFromMs: Number.POSITIVE_INFINITY })
})

test('a new link to an old file is too new, and it is known until when', async () => {
  const folder = makeFolder('new-link')
  const [link, old] = [join(folder, 'to-old'), process.execPath]
  symlinkSync(old, link)
  const { ctimeMs } = lstatSync(link)
  const { states, reliableFromMs } = await traceFiles(async () => statSync(link))
  expect([states, reliableFromMs]).toEqual([undefined, ctimeMs + 2000])
})

test('a change is noticed of a file that was named by `..` after a link', async () => {
  const folder = makeFolder('parent')
  mkdirSync(join(folder, 'far/away'), { recursive: true })
  writeFileSync(join(folder, 'far/one'), 'abc')
  symlinkSync('far/away', join(folder, 'near'))
  const { result, states } = await traceFiles(() => readFile(`${folder}/near/../one`), ANY_AGE)
  writeFileSync(join(folder, 'far/one'), 'another length')
  expect([String(result), await states?.areSame()]).toEqual(['abc', false])
})

test('other work goes on while many paths are looked at', async () => {
  const folder = makeFolder('many')
  const paths = Array.from({ length: 600 }, (_, index) => join(folder, String(index)))
  const { states } = await traceFiles(async () => paths.map((path) => existsSync(path)), ANY_AGE)
  const done: string[] = []
  setImmediate(() => done.push('other work'))
  await states?.areSame()
  expect(done).toEqual(['other work'])
})

test('other work at the same time does not count', async () => {
  const folder = makeFolder('others')
  const tracing = traceFiles(() => readFile(join(folder, 'one')), ANY_AGE)
  await readFile(join(folder, 'two'))
  const { result, states } = await tracing
  writeFileSync(join(folder, 'two'), 'another length')
  expect([String(result), await states?.areSame()]).toEqual(['abc', true])
})
