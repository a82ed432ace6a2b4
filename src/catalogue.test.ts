import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditFleet } from './audit/audit.ts'
import { describePreset } from './config/describe-presets.ts'
import { loadFleet } from './config/load-fleet.ts'
import { listPresetNames, readPage, readPreset } from './config/read-preset.ts'
import { currentHost } from './current-host.ts'
import { SECRET } from './formats/grammar.ts'
import type { Fleet } from './model/fleet.ts'
import { protocolNames } from './model/protocols.ts'

const host = currentHost()
const folders = { builtIn: host.presetsFolder, fleet: '/' }
const names = await listPresetNames(folders.builtIn)
let folder: string

/** Rows of docs/lease-isolation.md: a preset and an isolation. */
const isolationRows = [
  ...(await readFile(new URL('../docs/lease-isolation.md', import.meta.url), 'utf8')).matchAll(
    /^\| `([a-z0-9-]+)` \| `(\w+)` \| (.+) \|$/gm,
  ),
].map(([, preset = '', isolation = '']) => [preset, isolation])

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-catalogue-'))
})
afterAll(() => rm(folder, { recursive: true }))

const loaded = new Map<string, Promise<Fleet>>()

/** Returns the fleet of a preset without options, which most tests look at. */
function loadPlain(preset: string): Promise<Fleet> {
  const fleet = loaded.get(preset) ?? load(preset)
  loaded.set(preset, fleet)
  return fleet
}

const load = (preset: string, more: object = {}): Promise<Fleet> =>
  loadFleet({ kind: 'object', value: { name: 'catalogue', servers: { one: { preset, ...more } } }, folder }, host)

/** Checks that want an answer of the server, in its protocol or by a client of its own. */
const answers = new Set<string>([...protocolNames, 'http', 'https', 'exec'])

/** Syslog has no answer to anything (RFC 6587). */
const neverAnswers = new Set(['rsyslog'])

describe.each(names)('the preset %s', (name) => {
  test('works without options, and is ready only when it answers', async () => {
    const server = (await loadPlain(name)).servers.get('one')
    const asking =
      server?.ready.filter((check) => answers.has(check.kind) || ('expect' in check && check.expect !== undefined)) ??
      []
    expect(asking.length > 0 || neverAnswers.has(name)).toBe(true)
    expect(server?.ready.length).toBeGreaterThan(0)
  })

  test('has no more rights than it needs', async () => {
    const server = (await loadPlain(name)).servers.get('one')
    expect(server?.capDrop).toEqual(['ALL'])
    expect(server?.unsafe).toEqual({ privileged: false, engineSocket: false, newPrivileges: false })
    expect(server?.limits.memoryBytes).toBeGreaterThan(0)
    expect(server?.limits.pids).toBeLessThan(4096)
    expect(server?.ports.every(({ address, host: port }) => address === undefined && port === undefined)).toBe(true)
  })

  test('is lent as its page on isolation says', async () => {
    const lending = (await load(name, { pool: 1 })).servers.get('one')?.lending
    const isolation = lending?.database === undefined ? lending?.isolation : 'database'
    expect(isolationRows.filter(([preset]) => preset === name)).toEqual([[name, isolation]])
    expect(lending?.reset === undefined).toBe(isolation !== 'reset')
  })

  test('has no findings except those that its user can change', async () => {
    const { findings } = await auditFleet(await loadPlain(name), { environment: {} })
    // A digest in `build.from`, versions in `build.packages`, neither of which is beside a Dockerfile; and published ports.
    const ofFtp = ['vsftpd', 'ftp-proxy'].includes(name) ? ['ftp-data-ports-not-published'] : []
    const changeable = name === 'openssh' ? [] : ['image-without-digest', 'packages-not-pinned', ...ofFtp]
    expect(findings.map(({ id }) => id).filter((id) => !changeable.includes(id))).toEqual([])
    expect(findings.length).toBeLessThanOrEqual(changeable.length)
  })

  test('describes itself and each option', async () => {
    const preset = await readPreset(name, folders)
    if (preset === undefined) throw new Error('it is not there')
    const { description, options } = describePreset(preset)
    expect(description).not.toMatch(/\.$/)
    expect((await readPage(preset)).length).toBeGreaterThan(100)
    expect(options.filter((option) => !option.description.endsWith('.')).map((option) => option.name)).toEqual([])
    const wordless = Object.entries(preset.options ?? {}).filter(
      ([, option]) => 'pattern' in option && option.pattern !== undefined && option.form === undefined,
    )
    expect(wordless).toEqual([])
  })

  test('accepts only names of users that can be names of secrets', async () => {
    const preset = await readPreset(name, folders)
    const ascii = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
    const longer = Array.from({ length: 200 }, (_, index) => 'a'.repeat(index + 1))
    for (const option of Object.values(preset?.options ?? {})) {
      if (option.type !== 'users') continue
      const pattern = new RegExp(`^(?:${option.pattern})$`, 'u')
      const taken = [...ascii, ...ascii.map((one) => `a${one}b`), ...longer].filter((word) => pattern.test(word))
      expect(taken.length).toBeGreaterThan(20)
      expect(taken.filter((word) => !SECRET.test(`user.${word}`))).toEqual([])
    }
  })

  test('lists its command and replaceable files on its page', async () => {
    const preset = await readPreset(name, folders)
    if (preset === undefined) throw new Error('it is not there')
    const { command, files, exports, limits } = describePreset(preset)
    const [, paragraph = ''] = /(?:^|\n\n)(Its command is [\s\S]*)$/.exec(await readPage(preset)) ?? []
    expect([...paragraph.matchAll(/`([^`]+)`/g)].map(([, word]) => word)).toEqual([command[0], ...files])
    for (const { example } of exports) expect(example).not.toContain('$')
    expect(exports).not.toEqual([])
    expect(Object.keys(limits)).toEqual(['memory', 'pids'])
  })

  test('accepts an override of each of its files, and of no file that its server does not read', async () => {
    const preset = await readPreset(name, folders)
    if (preset === undefined) return
    const { command, files } = describePreset(preset)
    const put = (...places: readonly string[]): Promise<Fleet> =>
      // Next to a Dockerfile there is no `copy`.
      load(
        name,
        name === 'openssh'
          ? { mounts: places.map((to) => ({ volume: 'v', to })) }
          : { build: { copy: places.map((to) => ({ content: 'x', to })) } },
      )
    await expect(put(...files.map((to) => to.replace('*', 'x')))).resolves.toBeDefined()
    const places = (preset.configuration?.under ?? []).filter((place) => !files.includes(`${place}/*`))
    const stale = places.map((place) => (/\.(?:conf|d)$/.test(place) ? place : `${place}/none`))
    if (command[0]?.startsWith('start-')) stale.push('/usr/local/bin/start-none')
    if (stale.length === 0) return
    const refused = await put(...stale).catch((error: unknown) => String(error))
    for (const to of stale) expect(refused).toContain(`does not read ${to}`)
  })
})
