import { execFileSync } from 'node:child_process'
import { chmod, copyFile, mkdir, mkdtemp, readdir, realpath, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let folder: string
let home: string

beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), 'testfleet-launcher-')))
  home = join(folder, 'home')
  await mkdir(home)
  await copyFile(join(import.meta.dirname, 'launcher.cjs'), join(folder, 'testfleet.cjs'))
  await writeFile(join(folder, 'main.js'), 'process.stdout.write(`started with ${process.argv[2]}`)\n')
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
})
afterEach(() => rm(folder, { recursive: true }))

const call = (environment: Readonly<Record<string, string>>): string =>
  execFileSync(process.execPath, [join(folder, 'testfleet.cjs'), 'words'], {
    env: environment,
    encoding: 'utf8',
    timeout: 60_000,
    killSignal: 'SIGKILL',
  })

describe('the launcher keeps compiled code', () => {
  test("in the user's cache, in a private folder", async () => {
    expect(call({ HOME: home })).toBe('started with words')
    const cache = join(home, '.cache/testfleet')
    expect(await readdir(cache)).toHaveLength(1)
    expect((await stat(cache)).mode & 0o777).toBe(0o700)
    expect(call({ HOME: home })).toBe('started with words')
  })

  test('below XDG_CACHE_HOME if that is set', async () => {
    call({ HOME: home, XDG_CACHE_HOME: join(folder, 'shared') })
    expect(await readdir(join(folder, 'shared/testfleet'))).toHaveLength(1)
    expect(await readdir(home)).toEqual([])
  })

  test.each([
    ['the folder is open to others', 'testfleet', 0o755],
    ['others can write above it', '.', 0o777],
  ])('nowhere if %s', async (_, open, mode) => {
    const cache = join(folder, 'cache')
    await mkdir(join(cache, 'testfleet'), { recursive: true, mode: 0o700 })
    await chmod(join(cache, open), mode)
    expect(call({ XDG_CACHE_HOME: cache })).toBe('started with words')
    expect(await readdir(join(cache, 'testfleet'))).toEqual([])
  })

  test('nowhere through a link to a folder that others can write to', async () => {
    const open = join(folder, 'open')
    await mkdir(join(open, 'target'), { recursive: true, mode: 0o700 })
    await chmod(open, 0o777)
    await mkdir(join(folder, 'cache'))
    await symlink(join(open, 'target'), join(folder, 'cache/testfleet'))
    expect(call({ XDG_CACHE_HOME: join(folder, 'cache') })).toBe('started with words')
    expect(await readdir(join(open, 'target'))).toEqual([])
  })

  test.each([{}, { HOME: '' }, { HOME: 'relative' }, { HOME: '/dev/null' }, { HOME: '/proc/self' }])(
    'nowhere without a home: %j',
    (environment) => {
      expect(call(environment)).toBe('started with words')
    },
  )
})
