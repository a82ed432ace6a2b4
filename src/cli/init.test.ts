import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadFleet } from '../config/load-fleet.ts'
import { listPresetNames } from '../config/read-preset.ts'
import { currentHost } from '../current-host.ts'
import type { Fleet } from '../model/fleet.ts'
import { speakAs } from '../model/surface.ts'
import type { Call } from './call.ts'
import { run } from './init.ts'

// The command does the same when it starts.
speakAs('command')
// The next file of this worker is the library.
afterAll(() => speakAs('library'))

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-init-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** Returns what `testfleet init` prints and writes. */
async function init(words: readonly string[], json = false, file = 'testfleet.yaml') {
  let printed = ''
  const write = (more: string): void => {
    printed += more
  }
  const host = { ...currentHost(), workingFolder: folder }
  const output = { write, writeData: write, endProgress: () => {} }
  await run({
    json,
    host,
    servers: words,
    file: file === 'testfleet.yaml' ? undefined : file,
    output,
  } as unknown as Call)
  return { printed, text: await readFile(join(folder, file), 'utf8') }
}

const load = (environment = {}): Promise<Fleet> =>
  loadFleet({ kind: 'file', named: undefined }, { ...currentHost(), environment, workingFolder: folder })

describe('testfleet init', () => {
  test('writes servers of presets, with variables and options', async () => {
    const { printed, text } = await init(['postgresql', 'redis'])
    expect(printed).toBe('wrote testfleet.yaml; next: testfleet up\n')
    expect(text).toContain(`
  # PostgreSQL, a relational database
  # Variables for your tests: DATABASE_URL, PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE
  postgresql:
    preset: postgresql
    # options:    # all: testfleet presets postgresql
    #   user: test `)
    expect(text).toContain('\n    #   password: { env: REDIS_PASSWORD } ')
    expect([...(await load()).servers.keys()]).toEqual(['postgresql', 'redis'])
  })

  test('uses the requested names of servers, and finds presets by synonyms', async () => {
    await init(['db=postgres', 'cache=redis', 'smtp'])
    const servers = [...(await load()).servers.values()].map(({ name, ports }) => [name, ports[0]?.container])
    expect(servers).toEqual([
      ['db', 5432],
      ['cache', 6379],
      ['smtp', 25],
    ])
  })

  test('prints JSON', async () => {
    const { printed } = await init(['db=postgres'], true)
    expect(JSON.parse(printed)).toEqual({
      file: join(folder, 'testfleet.yaml'),
      servers: [{ name: 'db', preset: 'postgresql' }],
    })
  })

  test('writes an example without presets', async () => {
    const { text } = await init([], false, 'other.yml')
    await writeFile(join(folder, 'testfleet.yaml'), text)
    expect([...(await load()).servers.keys()]).toEqual(['web', 'cache'])
  })

  test('writes every preset of the catalogue, and its options without a path work when they are uncommented', async () => {
    const names = await listPresetNames(currentHost().presetsFolder)
    const { text } = await init(names)
    expect([...(await load()).servers.keys()]).toEqual(names)
    const commented = /^ {4}# {3}(?!.*: \.\/)(.*)$/gm
    expect(text.match(commented)?.length).toBeGreaterThan(names.length)
    const variables = [...text.matchAll(/\{ env: (\w+) \}/g)].map(([, name = '']) => [name, 'a-long-password'])
    const parts = text.split('\n\n').map((part) => {
      const uncommented = part.replace(commented, '      $1')
      return uncommented === part ? part : uncommented.replace('    # options:', '    options:')
    })
    await writeFile(join(folder, 'testfleet.yaml'), parts.join('\n\n'))
    const { servers } = await load(Object.fromEntries(variables))
    expect([...servers.keys()]).toEqual(names)
  })

  test('never changes an existing file', async () => {
    await writeFile(join(folder, 'testfleet.yaml'), 'mine\n')
    await expect(init(['redis'])).rejects.toThrow('testfleet.yaml is there already; nothing was changed')
    expect(await readFile(join(folder, 'testfleet.yaml'), 'utf8')).toBe('mine\n')
  })

  test.each([
    [['redsi'], 'there is no preset "redsi"; did you mean `redis`?'],
    [['postgrs'], 'there is no preset "postgrs"; did you mean `postgresql`?'],
    [['redis', 'proxy'], '"proxy" is a word for several presets: danted, ftp-proxy, squid'],
    [['redis', 'redis'], 'two servers would be called redis'],
    [['Db=redis'], '"Db" is not the name of a server'],
    [['=redis'], '"" is not the name of a server'],
    [['a\n  x: y=redis'], '"a\\n  x: y" is not the name of a server'],
    [[''], 'there is no preset ""; `testfleet presets` lists them'],
  ])('refuses %j and writes nothing', async (words, message) => {
    await expect(init(words)).rejects.toMatchObject({ code: 'USAGE', message })
    await expect(readFile(join(folder, 'testfleet.yaml'))).rejects.toThrow('ENOENT')
  })

  test('prints the next call for a file with another name, and a hint for a taken name or a missing folder', async () => {
    expect((await init(['redis'], false, 'two.yaml')).printed).toBe('wrote two.yaml; next: testfleet up -f two.yaml\n')
    await expect(init(['a=redis', 'a=postgresql'])).rejects.toMatchObject({
      hint: 'Give each a name that no other has, as NAME=postgresql.',
    })
    await expect(init(['redis'], false, 'sub/two.yaml')).rejects.toMatchObject({
      message: 'sub/two.yaml cannot be written: no such file or folder',
      hint: 'Create its folder first, or name another file with -f.',
    })
  })

  test('refuses to write YAML to a file with another extension', async () => {
    await expect(init(['redis'], false, 'fleet.json')).rejects.toThrow('fleet.json does not end with .yaml')
  })
})
