import { chmod, chown, lchown, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { TestfleetError } from '../model/failures.ts'
import { imageOf } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import { speakAs } from '../model/surface.ts'
import { fleetJsonSchema } from './json-schema.ts'
import { textBlocks } from './keep-text.ts'
import { loadFleet, loadFleetName } from './load-fleet.ts'
import { locateFleetFile } from './locate-fleet-file.ts'

// Messages are quoted as the command words them.
speakAs('command')

let folder: string
let host: Host

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'load-fleet-'))
  host = {
    workingFolder: folder,
    homeFolder: folder,
    temporaryFolder: tmpdir(),
    environment: { GIVEN: 'from outside' },
    platform: 'linux',
    userId: process.getuid?.(),
    groupId: process.getgid?.(),
    processId: 1,
    parentProcessId: 0,
    keeperFile: '/keeper.js',
    lenderFile: '/lender.js',
    supervisorFile: '/supervisor.js',
    presetsFolder: '/nowhere',
    nodeHookFile: '',
    commandGuardFile: '',
    owner: 'someone@here',
  }
})

afterEach(async () => {
  await rm(folder, { recursive: true })
})

async function load(text: string | Uint8Array, name = 'testfleet.yaml') {
  await writeFile(join(folder, name), text)
  return loadFleet({ kind: 'file', named: name }, host)
}

/** Every mistake, as `line:column message`. */
async function mistakesOf(text: string | Uint8Array, name?: string): Promise<string[]> {
  const error = await load(text, name).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(TestfleetError)
  expect((error as TestfleetError).exitCode).toBe(2)
  return (error as TestfleetError).mistakes.map(
    ({ at, field, message }) => `${at.line}:${at.column} ${field}: ${message}`,
  )
}

const server = (lines: string): string => `servers:\n  web:\n    image: debian:bookworm-slim\n${lines}`

describe('an export whose name changes how programs run', () => {
  const text = server(
    '    export:\n      WEB_URL: "http://${host}/"\n      BASH_ENV: evil.sh\n      https_proxy: "http://${host}/"\n',
  )

  test('is refused at its position, with the reason', async () => {
    expect(await mistakesOf(text)).toEqual([
      '6:7 servers.web.export.BASH_ENV: this name cannot be exported: it makes shells run or read something else',
      '7:7 servers.web.export.https_proxy: this name cannot be exported: it sends what programs say to a proxy',
    ])
  })

  test('is refused in a fleet that is an object', async () => {
    const value = { servers: { web: { image: 'debian:12', export: { NODE_OPTIONS: '--require=/evil.cjs' } } } }
    const loading = loadFleet({ kind: 'object', value, folder }, host)
    await expect(loading).rejects.toThrow('servers.web.export.NODE_OPTIONS: this name cannot be exported')
  })

  test('is refused in a preset of the fleet, even if a key of the fleet file adds it', async () => {
    const preset = (name: string) => `description: d\nserver:\n  image: debian:12\n  export: { ${name}: x }\n`
    await mkdir(join(folder, 'own'))
    await writeFile(join(folder, 'own/preset.yaml'), preset('LD_PRELOAD'))
    expect((await mistakesOf('servers: { web: { preset: ./own } }\n')).join()).toContain(
      'export.LD_PRELOAD: this name cannot be exported',
    )
    await writeFile(join(folder, 'own/preset.yaml'), preset('FINE'))
    expect((await mistakesOf('servers: { web: { preset: ./own, export: { PATH: x } } }\n')).join()).toContain(
      'export.PATH: this name cannot be exported',
    )
  })

  test('is possible as a variable of the server and of its image', async () => {
    const keys = '    environment: { NODE_OPTIONS: --trace-warnings, PATH: /usr/bin }\n'
    expect((await load(server(keys))).servers.get('web')?.environment.size).toBe(2)
  })
})

describe('a valid fleet file', () => {
  test('keeps the spelling of values that are text', async () => {
    const block = 'A: 24.10, B: 0042, C: 1e3, D: 0x1F, E: 12345678901234567890, F: True, G: +49, H: .inf, I: 7, J: "x"'
    const written = {
      ...{ A: '24.10', B: '0042', C: '1e3', D: '0x1F', E: '12345678901234567890', F: 'True', G: '+49', H: '.inf' },
      ...{ I: '7', J: 'x' },
    }
    const build = `build: { dockerfile: Dockerfile, args: { ${block} } }`
    await writeFile(join(folder, 'Dockerfile'), 'FROM a\n')
    const fleet = await load(`servers:
  a: { image: a, environment: { ${block} }, execEnvironment: { ${block} }, labels: &labels { ${block} }, init: true, readyTimeout: &t 1.50 }
  b: { ${build}, labels: *labels, environment: { SECONDS: *t }, sysctls: { kernel.msgmax: 0100 } }
  c: { build: { from: a, environment: { ${block} } } }
`)
    const textOf = (map: ReadonlyMap<string, unknown> | undefined) => Object.fromEntries(map ?? [])
    const [a, b, c] = ['a', 'b', 'c'].map((name) => fleet.servers.get(name))
    for (const variables of [a?.environment, a?.execEnvironment]) {
      const values = [...(variables ?? [])].map(([name, value]) => [name, value.kind === 'text' && value.text])
      expect(Object.fromEntries(values)).toEqual(written)
    }
    expect([textOf(a?.labels), textOf(b?.labels)]).toEqual([written, written])
    expect([a?.init, a?.readyTimeoutMs]).toEqual([true, 1500])
    expect(b?.environment.get('SECONDS')).toMatchObject({ text: '1.50' })
    expect(textOf(b?.sysctls)).toEqual({ 'kernel.msgmax': '0100' })
    const recipes = [b, c].map((one) => {
      const image = imageOf(one)
      return image?.kind === 'built' ? image.recipe : undefined
    })
    expect(recipes[0]?.kind === 'dockerfile' && textOf(recipes[0].args)).toEqual(written)
    expect(recipes[1]?.kind === 'steps' && textOf(recipes[1].steps.environment)).toEqual(written)
  })

  test('keeps the spelling of keys', async () => {
    const fleet = await load(`servers:
  a:
    image: a
    labels: { 1.10: a, 0042: b, True: c, .inf: d, "1.20": e, 7: f }
    environment: { 1e3: x, ~: y }
    secrets: { 007: { generate: 8 } }
`)
    const a = fleet.servers.get('a')
    const named = { '1.10': 'a', '0042': 'b', True: 'c', '.inf': 'd', '1.20': 'e', 7: 'f' }
    expect(Object.fromEntries(a?.labels ?? [])).toEqual(named)
    expect([...(a?.environment.keys() ?? [])]).toEqual(['1e3', '~'])
    expect([...(a?.secrets.keys() ?? [])]).toEqual(['007'])
    const twice = 'servers: { a: { image: a, labels: { 7: x, "7": y } } }\n'
    expect(await mistakesOf(twice)).toEqual(['1:43 : this key is duplicated'])
  })

  test('keeps the spelling in every block that accepts both text and numbers', () => {
    const takesBoth = (types: Record<string, unknown> = {}): boolean =>
      types.properties === undefined && JSON.stringify(types).includes('"type":["string","number"')
    const find = (value: unknown, key: string): string[] => {
      if (typeof value !== 'object' || value === null) return []
      const inside = Object.entries(value).flatMap(([name, child]) =>
        find(child, /^(\d+|anyOf|additional.*)$/.test(name) ? key : name),
      )
      return takesBoth(Object(value).additionalProperties) ? [key, ...inside] : inside
    }
    expect([...new Set(find(fleetJsonSchema(), ''))].sort()).toEqual([...textBlocks, 'options'].sort())
  })

  test('keeps the spelling in JSON', async () => {
    const fleet = await load(
      '{ "servers": { "a": { "image": "a", "labels": { "x": 1.0, "y": 1e2 } } } }',
      'testfleet.json',
    )
    expect(Object.fromEntries(fleet.servers.get('a')?.labels ?? [])).toEqual({ x: '1.0', y: '1e2' })
  })

  test.each([
    ['20s', 20_000],
    ['1500ms', 1500],
    ['10m', 600_000],
    ['1', 1000],
  ])('sets the grace period of a server that stops by a signal: %s', async (written, ms) => {
    const fleet = await load(server(`    stopGracePeriod: ${written}\n`))
    expect(fleet.servers.get('web')).toMatchObject({ stopGraceMs: ms, stopSignal: undefined })
  })

  test('becomes a fleet with every default applied', async () => {
    const fleet = await load(server('    ports: [80, "53/udp", { container: 443, host: 8443 }]\n'))
    expect(fleet.domain).toBe(`${fleet.name}.test`)
    const web = fleet.servers.get('web')
    expect(web?.hostname).toBe(`web.${fleet.domain}`)
    expect(web?.ports).toEqual([
      { container: 80, protocol: 'tcp', host: undefined, address: undefined },
      { container: 53, protocol: 'udp', host: undefined, address: undefined },
      { container: 443, protocol: 'tcp', host: 8443, address: undefined },
    ])
    expect(web?.ready.map((check) => check.kind)).toEqual(['tcp', 'tcp'])
    expect(web?.readyTimeoutMs).toBe(60_000)
  })

  test('has the same meaning as YAML, as JSON and as a module', async () => {
    const value = { name: 'same', servers: { web: { image: 'a:1', ports: [80] } } }
    const yaml = await load('name: same\nservers:\n  web: { image: a:1, ports: [80] }\n')
    const json = await load(JSON.stringify(value, null, '\t'), 'testfleet.json')
    const module = await load(`export default ${JSON.stringify(value)}`, 'testfleet.mjs')
    const typed = await load(`const fleet: object = ${JSON.stringify(value)}\nexport default fleet`, 'testfleet.ts')
    for (const other of [json, module, typed]) expect([...other.servers]).toEqual([...yaml.servers])
  })

  test('is found in a parent folder', async () => {
    await load(server(''))
    await mkdir(join(folder, 'a/b'), { recursive: true })
    const fleet = await loadFleet({ kind: 'file', named: undefined }, { ...host, workingFolder: join(folder, 'a/b') })
    expect(fleet.folder).toBe(folder)
  })

  test('is located by its real path, without being read or run', async () => {
    const real = join(await realpath(folder), 'real.mjs')
    await writeFile(real, 'throw new Error("it ran")')
    await writeFile(join(folder, 'package.json'), '{}')
    await mkdir(join(folder, 'a/b'), { recursive: true })
    await symlink(real, join(folder, 'a/testfleet.mjs'))
    const workingFolder = join(folder, 'a/b')
    expect(await locateFleetFile(undefined, { workingFolder })).toEqual({
      path: join(folder, 'a/testfleet.mjs'),
      realPath: real,
    })
    await writeFile(real, 'export default { servers: { web: { image: "a" } } }')
    expect(await loadFleet({ kind: 'file', named: '../testfleet.mjs' }, { ...host, workingFolder })).toMatchObject({
      folder: join(folder, 'a'),
      file: real,
    })
    const value = { servers: { web: { image: 'a' } } }
    expect((await loadFleet({ kind: 'object', value, folder }, host)).file).toBeUndefined()
    await expect(locateFleetFile('none.yaml', host)).rejects.toMatchObject({ code: 'FLEET_FILE_NOT_FOUND' })
  })

  test('reads a variable of the caller only where it says so', async () => {
    const fleet = await load(server('    environment: { A: { env: GIVEN }, B: "${GIVEN}", C: 7, D: true }\n'))
    expect([...(fleet.servers.get('web')?.environment.values() ?? [])]).toEqual([
      { kind: 'text', text: 'from outside', from: 'GIVEN' },
      { kind: 'text', text: '${GIVEN}' },
      { kind: 'text', text: '7' },
      { kind: 'text', text: 'true' },
    ])
  })

  test('gives the same base recipe to all servers with the same base', async () => {
    const fleet = await load(
      'base: { packages: [curl] }\nservers:\n  a: { build: { run: [x] } }\n  b: { build: { from: other:1 } }\n  c: { build: {} }\n',
    )
    const images = [...fleet.servers.values()].map(imageOf)
    const bases = images.map((image) =>
      image?.kind === 'built' && image.recipe.kind === 'steps' ? image.recipe.from : undefined,
    )
    expect(bases[0]).toBe(bases[2])
    expect(bases[1]).not.toBe(bases[0])
  })

  test('has a name that can be read even if other keys are wrong', async () => {
    await writeFile(join(folder, 'testfleet.yaml'), 'name: still\nservers: 3\n')
    expect(await loadFleetName(undefined, host)).toBe('still')
  })
})

describe('an invalid fleet file', () => {
  test('reports every mistake at once, with its position', async () => {
    const mistakes = await mistakesOf(server('    prots: [80]\n    ports: [0, 70000, http]\n    command: ls -l\n'))
    expect(mistakes).toEqual([
      '4:5 servers.web.prots: unknown key; did you mean `ports`?',
      '5:13 servers.web.ports[0]: must be a port from 1 to 65535, not 0',
      '5:16 servers.web.ports[1]: must be a port from 1 to 65535, not 70000',
      '5:23 servers.web.ports[2]: must be a port from 1 to 65535, such as 80 or "53/udp", not "http"',
      '6:14 servers.web.command: must be a list, not "ls -l"; write [ls, -l]',
    ])
  })

  test("with a port in Docker's notation is refused with the right notation", async () => {
    expect(await mistakesOf(server('    ports: ["8080:80", "127.0.0.1:1:2"]\n'))).toEqual([
      '4:13 servers.web.ports[0]: must be a port from 1 to 65535, such as 80 or "53/udp"; for a fixed port of this ' +
        'machine, write { container: 80, host: 8080 }, not "8080:80"',
      '4:24 servers.web.ports[1]: must be a port from 1 to 65535, such as 80 or "53/udp", not "127.0.0.1:1:2"',
    ])
  })

  const names = ['"a b"', 'a/b', '-a', '../a', '"a\\nb"', 'a'.repeat(300), 'ä', 'A', '"__proto__"']
  test.each(names)('with the server name %s is refused', async (name) => {
    const [mistake] = await mistakesOf(`servers:\n  ${name}: { image: a }\n`)
    expect(mistake).toMatch(/^2:3 .*(this name must be lower-case|cannot be a key)/)
  })

  test.each([
    ['an empty file', '', /is empty/],
    ['a comment alone', '# nothing\n', /is empty/],
    ['a list', '- a\n', /must be a block of keys/],
    ['a text', 'hello\n', /must be a block of keys/],
    ['no server', 'servers: {}\n', /needs at least one server/],
    ['a duplicate key', 'name: a\nname: b\nservers: {}\n', /^2:1 .*is duplicated/],
    ['two documents', 'name: a\n---\nname: b\n', /one document/],
    ['a bracket that is never closed', 'servers: { a: [\n', /not valid YAML/],
    ['a tag that runs code elsewhere', 'name: !!js/function "x"\n', /not valid YAML/],
    ['a key that is a list', '? [a, b]\n: c\n', /a key must be plain text/],
    ['a prototype', 'servers:\n  __proto__: { image: a }\n', /`__proto__` cannot be a key/],
  ])('is refused: %s', async (_, text, message) => {
    const mistakes = await mistakesOf(text)
    expect(
      mistakes.some((mistake) => message.test(mistake)),
      mistakes.join('\n'),
    ).toBe(true)
  })

  test('that is a YAML bomb is refused immediately', async () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (const [name, below] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg', 'ih'].map((pair) => [pair[0], pair[1]])) {
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${below}`).join(', ')}]`)
    }
    const before = process.threadCpuUsage()
    expect(await mistakesOf(bomb.join('\n'))).toEqual(['1:1 : has aliases that unfold to too much'])
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(2000)
  })

  test('with thousands of nested levels is refused', async () => {
    const mistakes = await mistakesOf(`servers: ${'['.repeat(100_000)}`)
    expect(mistakes[0]).toMatch(/nested too deeply|not valid YAML/)
  })

  test('of 50 MB is refused by its size', async () => {
    expect(await mistakesOf(Buffer.alloc(50 * 1024 * 1024, 0x23))).toEqual([
      '1:1 : has 52428800 bytes; a fleet file has at most 1048576',
    ])
  })

  test('with bytes that are not text is refused', async () => {
    expect(await mistakesOf(Buffer.from([0x6e, 0xff, 0xfe, 0x00]))).toEqual(['1:1 : is not text in UTF-8'])
  })

  test('that is a module without a fleet, or one that throws, is refused', async () => {
    await expect(load('export const a = 1', 'a.mjs')).rejects.toThrow(/no default export/)
    await expect(load('throw new Error("no luck")', 'b.mjs')).rejects.toThrow(/cannot be loaded: no luck/)
    await expect(
      load('export default { servers: { a: { image: "a", command: [() => 1] } } }', 'c.mjs'),
    ).rejects.toThrow(/servers\.a\.command\[0\] is a function/)
  })
})

describe('a fleet file that was found without -f', () => {
  const isRoot = process.getuid?.() === 0
  const yaml = 'servers: { web: { image: a } }\n'
  const program = 'globalThis.ran = true; export default { servers: { web: { image: "a" } } }'
  const found = (below = '', as: Partial<Host> = {}) =>
    loadFleet({ kind: 'file', named: undefined }, { ...host, workingFolder: join(folder, below), ...as })
  const notTrusted = (message: string) =>
    expect.objectContaining({ code: 'FLEET_FILE_NOT_TRUSTED', exitCode: 2, message: expect.stringContaining(message) })

  beforeEach(async () => {
    Reflect.deleteProperty(globalThis, 'ran')
    await mkdir(join(folder, 'a/b'), { recursive: true })
  })

  test.each([
    ['the file', 'testfleet.yaml', 0o646],
    ['its folder', '', 0o757],
    ['its folder, which is sticky', '', 0o1777],
  ])('is not read if others can write to %s', async (_, path, mode) => {
    await writeFile(join(folder, 'testfleet.yaml'), yaml)
    await chmod(join(folder, path), mode)
    await expect(found('a/b')).rejects.toEqual(notTrusted(`other users can write to `))
    expect(await loadFleet({ kind: 'file', named: 'testfleet.yaml' }, host)).toMatchObject({ folder })
  })

  test('is read if its group is the private group of its owner, or if it is in a folder below a sticky one', async () => {
    await mkdir(join(folder, 'a/own'))
    await writeFile(join(folder, 'a/own/testfleet.yaml'), yaml)
    await chmod(join(folder, 'a'), 0o1777)
    if (isRoot) await chmod(join(folder, 'a/own'), 0o775)
    expect(await found('a/own')).toMatchObject({ folder: join(folder, 'a/own') })
  })

  test.runIf(isRoot).each([
    ['the file', 'testfleet.yaml'],
    ['its folder', ''],
  ])('is not read if %s belongs to another user, not even by root', async (_, path) => {
    await writeFile(join(folder, 'testfleet.yaml'), yaml)
    await chown(join(folder, path), 4711, 4711)
    const error = await found('a').catch((reason: unknown) => reason)
    expect(error).toEqual(notTrusted('belongs to user 4711'))
    expect((error as TestfleetError).message).toContain('testfleet.yaml is not trusted')
    expect((error as TestfleetError).hint).toContain(`-f ${join(folder, 'testfleet.yaml')}`)
    expect(await found('a', { environment: { SUDO_UID: '4711' } })).toMatchObject({ folder })
    await expect(found('a', { userId: 4712, environment: { SUDO_UID: '4711' } })).rejects.toEqual(notTrusted(''))
  })

  test.runIf(isRoot)('is not read if another user could replace a folder above it, or a link', async () => {
    await writeFile(join(folder, 'a/b/testfleet.yaml'), yaml)
    await chown(join(folder, 'a'), 4711, 4711)
    await expect(found('a/b')).rejects.toEqual(notTrusted(`${join(folder, 'a')} belongs to`))
    await writeFile(join(folder, 'real.yaml'), yaml)
    await symlink('a/b/testfleet.yaml', join(folder, 'testfleet.yaml'))
    await expect(found()).rejects.toEqual(notTrusted(`${join(folder, 'a')} belongs to`))
    await rm(join(folder, 'testfleet.yaml'))
    await symlink('real.yaml', join(folder, 'testfleet.yaml'))
    expect(await found()).toMatchObject({ folder })
    await lchown(join(folder, 'testfleet.yaml'), 4711, 4711)
    await expect(found()).rejects.toEqual(notTrusted('it belongs to user 4711'))
  })

  test('is not run if it is a program outside the project', async () => {
    await writeFile(join(folder, 'testfleet.mjs'), program)
    await expect(found('a/b')).rejects.toEqual(notTrusted('it is a program outside of'))
    await writeFile(join(folder, 'a/package.json'), '{}')
    await expect(found('a/b')).rejects.toEqual(notTrusted(`outside of ${join(folder, 'a')}`))
    await mkdir(join(folder, 'a/b/.git'))
    await expect(found('a/b')).rejects.toEqual(notTrusted(`outside of ${join(folder, 'a/b')}`))
    expect(globalThis).not.toHaveProperty('ran')
  })

  test('is not run if it is a link to a program outside the project', async () => {
    await writeFile(join(folder, 'other.mjs'), program)
    await symlink('../other.mjs', join(folder, 'a/testfleet.mjs'))
    await expect(found('a')).rejects.toEqual(notTrusted('it is a program outside of'))
    expect(globalThis).not.toHaveProperty('ran')
  })

  test('is run if it is a program of the checkout, even above a package of the checkout', async () => {
    await writeFile(join(folder, 'testfleet.mjs'), program)
    await mkdir(join(folder, '.git'))
    await writeFile(join(folder, 'a/package.json'), '{}')
    expect(await found('a/b')).toMatchObject({ folder })
    expect(globalThis).toHaveProperty('ran')
  })
})

describe('a fleet file that is a link to a file elsewhere', () => {
  test.each(['testfleet.yaml', 'testfleet.mjs'])(
    'is used, and mistakes in %s are reported without quoting the file',
    async (name) => {
      await mkdir(join(folder, 'project'))
      const [credentials, link] = [join(folder, 'netrc.mjs'), join(folder, 'project', name)]
      await symlink(credentials, link)
      const within = { ...host, workingFolder: join(folder, 'project') }
      for (const text of ['machine host login me password hunter2\n', 'hunter2:\n  hunter2: 1\n', 'hunter2 = }']) {
        await writeFile(credentials, text)
        const error = await loadFleet({ kind: 'file', named: name }, within).catch((reason: unknown) => reason)
        expect(error).toBeInstanceOf(TestfleetError)
        expect(String(error)).toContain(`${name}:1:1: is a link to ${await realpath(credentials)} and has mistakes`)
        expect(String(error)).not.toContain('hunter2')
        expect(await loadFleetName(name, within).catch(String)).not.toContain('hunter2')
      }
      if (!name.endsWith('yaml')) return
      await writeFile(credentials, 'servers: { web: { image: a } }\n')
      expect(await loadFleet({ kind: 'file', named: name }, within)).toMatchObject({ folder: within.workingFolder })
    },
  )
})

describe('relations between keys', () => {
  test.each([
    ['itself', '  a: { image: a, dependsOn: [a] }\n', '2:30 servers.a.dependsOn[0]: `a` cannot depend on itself'],
    [
      'nobody',
      '  cache: { image: a }\n  b: { image: a, dependsOn: [cahce] }\n',
      '3:30 servers.b.dependsOn[0]: there is no server `cahce`; did you mean `cache`?',
    ],
    [
      'a circle of three',
      '  a: { image: a, dependsOn: [b] }\n  b: { image: a, dependsOn: [c] }\n  c: { image: a, dependsOn: [a] }\n',
      '4:30 servers.c.dependsOn[0]: is a circle: a → b → c → a',
    ],
  ])('a server cannot depend on %s', async (_, servers, mistake) => {
    expect(await mistakesOf(`servers:\n${servers}`)).toEqual([mistake])
  })

  const httpsCheck = (more: string): string =>
    `servers:\n  a: { image: a, ready: [{ https: { port: 443, ${more} } }] }\n`

  test.each([
    [
      'requestHeaders: { Content-Length: "3" }',
      '2:66 …requestHeaders.Content-Length: this name is set by testfleet, as it says how the request is sent',
    ],
    [
      'requestHeaders: { A: "b\\r\\nC: d" }',
      '2:69 …requestHeaders.A: must be one line of characters up to U+00FF, with no control characters, not "b\\r\\nC: d"',
    ],
    [
      'requestHeaders: { Host: a, host: b }',
      '2:64 …requestHeaders: has one header twice: upper and lower case mean the same',
    ],
    ['requestHeaders: [a]', '2:64 …requestHeaders: must be a block of keys, not a list'],
    ['requestHeaders: { A: 3 }', '2:69 …requestHeaders.A: must be text, not 3; write "3"'],
    [`requestHeaders: { A: ${'x'.repeat(8193)} }`, '2:69 …requestHeaders.A: must be at most 8192 characters'],
    [
      `requestHeaders: { ${Array.from({ length: 65 }, (_, index) => `H${index}: a`).join(', ')} }`,
      '2:64 …requestHeaders: must be at most 64 headers',
    ],
    [
      'clientCertificate: true',
      '2:67 …clientCertificate: the fleet has a certificate for clients only if one of its servers has `tls`',
    ],
    ['clientCertificate: yes please', '2:67 …clientCertificate: must be true or false, not "yes please"'],
  ])('an invalid https check is reported (%#)', async (more, mistake) => {
    const [told = '', ...others] = await mistakesOf(httpsCheck(more))
    expect(told.replace('servers.a.ready[0].https.', '…').replace(/, not "x+.*/, '')).toBe(mistake)
    expect(others).toEqual([])
  })

  test.each([
    ['{ text: a, times: 0 }', '2:51 times: must be from 1 to 1000'],
    ['{ text: a, times: 1001 }', '2:51 times: must be from 1 to 1000'],
    ['{ text: a, times: two }', '2:51 times: must be a number, not "two"'],
    ['{ text: a, pattern: b }', '2:33 needs exactly one of `text` and `pattern`'],
    ['{ times: 2 }', '2:33 needs exactly one of `text` and `pattern`'],
    [`{ text: ${'x'.repeat(4097)} }`, '2:41 text: must be at most 4096 characters'],
  ])('an invalid log check is reported (%#)', async (search, mistake) => {
    const [told = '', ...others] = await mistakesOf(`servers:\n  a: { image: a, ready: [{ log: ${search} }] }\n`)
    expect(told.replace(/servers\.a\.ready\[0\]\.log[.:]? ?/, '').replace(/, not (?:"x+.*|\d+)$/, '')).toBe(mistake)
    expect(others).toEqual([])
  })

  test('an https check accepts request headers, and a client certificate if the fleet has one', async () => {
    const [plain, secure] = ['requestHeaders: { Host: shop.example, Accept: "*/*" }', 'clientCertificate: true']
    await load(httpsCheck(plain))
    await load(`${httpsCheck(`${plain}, ${secure}`)}  b: { image: b, tls: true }\n`)
    expect(await mistakesOf(httpsCheck(secure).replace('https', 'http'))).toHaveLength(1)
  })

  test('two servers cannot use the same fixed port', async () => {
    const text =
      'servers:\n  a: { image: a, ports: [{ container: 1, host: 99 }] }\n  b: { image: a, ports: [{ container: 2, host: 99 }] }\n'
    expect(await mistakesOf(text)).toEqual([
      '3:26 servers.b.ports[0]: the port 99 of this machine is taken by `a` already',
    ])
  })

  test('the variables of `exec` are text or secrets of the server', async () => {
    const server = (keys: string): string => `servers:\n  a: { image: a, ${keys} }\n`
    const { servers } = await load(
      server(
        'secrets: { P: { value: guest } }, execEnvironment: { PGUSER: app, PGPORT: 5432, PGPASSWORD: { secret: P } }',
      ),
    )
    expect(servers.get('a')?.secrets.get('P')).toEqual({ kind: 'value', text: 'guest' })
    expect(Object.fromEntries(servers.get('a')?.execEnvironment ?? [])).toEqual({
      PGUSER: { kind: 'text', text: 'app' },
      PGPORT: { kind: 'text', text: '5432' },
      PGPASSWORD: { kind: 'secret', secret: 'P' },
    })
    expect(await mistakesOf(server('execEnvironment: { A: { secret: Q } }'))).toEqual([
      '2:50 servers.a.execEnvironment.A.secret: there is no secret `Q`; declare it in `secrets`',
    ])
    for (const [keys, message] of [
      ['execEnvironment: [A]', 'execEnvironment'],
      ['execEnvironment: { "A=B": x }', 'execEnvironment'],
      ['execEnvironment: { A: { env: HOME } }', 'execEnvironment.A'],
      ['secrets: { P: { value: "" } }', 'secrets.P.value'],
      ['secrets: { P: { value: a, generate: 24 } }', 'needs exactly one of `env`, `file`, `generate` and `value`'],
      [`secrets: { P: { value: ${'x'.repeat(1025)} } }`, 'secrets.P.value'],
    ] as const)
      expect((await mistakesOf(server(keys))).join('\n')).toContain(message)
  })

  test('names of the public internet need `publicNames: true`', async () => {
    const rule = 'is a name of the public internet, which a server has only with `publicNames: true`'
    const server = (more: string): string => `servers:\n  a: { image: a, ${more} }\n`
    const tell = (more: string) => mistakesOf(server(more))
    expect(await tell('aliases: [a.test, api.github.com]')).toEqual([
      `2:36 servers.a.aliases[1]: \`api.github.com\` ${rule}`,
    ])
    expect(await tell('tls: { names: ["*.debian.org"] }')).toEqual([
      `2:33 servers.a.tls.names[0]: \`*.debian.org\` ${rule}`,
    ])
    const free = ['db', 'x.internal', 'api.example.com', 'qt-test-server.qt-test-net', 'v2.local']
    await load(server(`aliases: [${free.join(', ')}]`))
    expect(await tell('aliases: [10.0.0.1.nip, xn--bcher-kva.xn--p1ai]')).toHaveLength(2)
    await load(server('aliases: [api.github.com, xn--bcher-kva.xn--p1ai], publicNames: true'))
    expect(await mistakesOf(`domain: example.io\n${server('publicNames: false')}`)).toEqual([
      `1:9 domain: \`a.example.io\` ${rule}; every name below test, example and internal is free`,
    ])
    await load(`domain: example.io\n${server('publicNames: true')}`)
  })

  test('a name leads to one server', async () => {
    expect(await mistakesOf('servers:\n  a: { image: a, aliases: [b] }\n  b: { image: a }\n')).toEqual([
      '2:28 servers.a.aliases[0]: `b` is a name of `b` already',
    ])
    const two = (one: string, other: string) =>
      mistakesOf(
        `domain: s.test\nservers:\n  a: { image: a, aliases: [${one}] }\n  b: { image: a, aliases: [${other}] }\n`,
      )
    const taken = (name: string) => [`4:28 servers.b.aliases[0]: \`${name}\` is a name of \`a\` already`]
    expect(await two('pay', 'pay')).toEqual(taken('pay'))
    expect(await two('pay', 'pay.s.test')).toEqual(taken('pay.s.test'))
    expect(await two('MyDB', 'mydb')).toEqual(taken('mydb'))
    expect(await two('x', 'A.s.test')).toEqual(taken('A.s.test'))
  })

  test("an alias is a name that the engine's DNS can serve", async () => {
    const server = (...aliases: string[]): string => `servers:\n  a: { image: a, aliases: [${aliases.join(', ')}] }\n`
    // It may repeat the name of its server, which then has it for a command of this machine, too.
    await load(server('a', 'a.s.test', 'my_db', 'MyDB', '_sip._tcp.x', 'pay', 'pay', 'pay.s.test'))
    for (const alias of ['-a', 'a-', 'a..b', '"a b"', 'ä', `${'a'.repeat(64)}`, `${'a.'.repeat(130)}a`]) {
      expect(await mistakesOf(server(alias)), alias).toEqual([
        expect.stringContaining('2:28 servers.a.aliases[0]: must be a host name'),
      ])
    }
    expect(await mistakesOf(server('API.GitHub.com'))).toEqual([
      expect.stringContaining('2:28 servers.a.aliases[0]: `API.GitHub.com` is a name of the public internet'),
    ])
  })

  test('an export refers only to existing ports, secrets and placeholders', async () => {
    const mistakes = await mistakesOf(
      server('    ports: [80]\n    export: { A: "${port.81}", B: "${secret.x}", C: "${nothing}", D: "${host}" }\n'),
    )
    expect(mistakes).toEqual([
      '5:18 servers.web.export.A: there is no port 81 in `ports`',
      '5:35 servers.web.export.B: there is no secret `x`; declare it in `secrets`',
      '5:53 servers.web.export.C: ${nothing} is not known; there are ${endpoint.N}, ${host}, ${port.N}, ${hostname}, ${secret.NAME} and ${database}',
    ])
  })

  test('a variable that is not set is a separate mistake', async () => {
    expect(await mistakesOf(server('    environment: { A: { env: MISSING } }\n'))).toEqual([
      '4:30 servers.web.environment.A.env: the variable MISSING is not set where testfleet was called',
    ])
  })
})

describe('paths in a fleet file', () => {
  const copy = (from: string): string => `servers:\n  a:\n    build:\n      copy: [{ from: ${from}, to: /x }]\n`

  test('that do not exist, or are of the wrong kind, are reported', async () => {
    await mkdir(join(folder, 'folder'))
    expect(await mistakesOf(copy('missing'))).toEqual([
      '4:22 servers.a.build.copy[0].from: there is no file or folder missing',
    ])
    expect(await mistakesOf('servers:\n  a: { build: { dockerfile: folder } }\n')).toEqual([
      '2:29 servers.a.build.dockerfile: folder is a folder, not a file',
    ])
    expect(await mistakesOf('servers:\n  a: { image: a, secrets: { S: { file: folder } } }\n')).toEqual([
      '2:40 servers.a.secrets.S.file: folder is a folder, not a file',
    ])
  })

  test.each(['../outside', '/etc/passwd', 'link'])('cannot lead out of the folder of the fleet: %s', async (path) => {
    await symlink('/etc', join(folder, 'link'))
    const [mistake] = await mistakesOf(copy(path))
    expect(mistake).toMatch(/leads out of the fleet's folder|there is no file or folder/)
  })

  test('of secrets lead to small files only', async () => {
    const secret = 'servers:\n  a: { image: a, secrets: { S: { file: secret } } }\n'
    await writeFile(join(folder, 'secret'), Buffer.alloc(500 * 1024))
    await load(secret)
    await writeFile(join(folder, 'secret'), Buffer.alloc(500 * 1024 + 1))
    expect(await mistakesOf(secret)).toEqual([
      '2:40 servers.a.secrets.S.file: secret has 512001 bytes; it can have at most 512000',
    ])
  })

  test('may lead out of the folder only with `outside: true`', async () => {
    const fleet = (outside: string): string => `servers:
  a:
    build: { copy: [{ from: /etc/passwd, to: /x${outside} }] }
    mounts: [{ from: /etc, to: /y${outside} }]
    secrets: { S: { file: /etc/hostname${outside} } }
  b: { build: { dockerfile: /etc/passwd${outside} } }
`
    const leads = "leads out of the fleet's folder; `outside: true` allows it"
    expect((await mistakesOf(fleet(''))).filter((mistake) => mistake.endsWith(leads))).toHaveLength(5)
    expect(await mistakesOf(fleet(', outside: false'))).toHaveLength(5)
    const { servers } = await load(fleet(', outside: true'))
    expect(servers.get('a')?.mounts[0]).toMatchObject({ from: '/etc', mayLeave: true })
    expect(
      await mistakesOf(`servers:
  a:
    build: { outside: true, copy: [{ content: x, to: /x, outside: true }] }
    mounts: [{ volume: v, to: /y, outside: true }]
    secrets: { S: { generate: 8, outside: true } }
`),
    ).toEqual([
      '3:23 servers.a.build.outside: `outside` goes with `dockerfile`',
      '3:67 servers.a.build.copy[0].outside: `outside` goes with `from`',
      '4:44 servers.a.mounts[0].outside: `outside` goes with `from`',
      '5:43 servers.a.secrets.S.outside: `outside` goes with `file`',
    ])
  })
})

describe('stopGracePeriod', () => {
  test.each([
    ['soon', 'must be a time such as 1500ms, 30s or 2m, not "soon"'],
    ['[10s]', 'must be a number or text, not a list'],
    ['true', 'must be a number or text, not true'],
    ['0', 'must be from 1s to 10m'],
    ['-5', 'must be from 1s to 10m'],
    ['999ms', 'must be from 1s to 10m'],
    ['601', 'must be from 1s to 10m'],
    ['11m', 'must be from 1s to 10m'],
    [`${'9'.repeat(5000)}s`, 'must be'],
  ])('is refused: %s', async (written, why) => {
    const [mistake, ...others] = await mistakesOf(server(`    stopGracePeriod: ${written}\n`))
    expect(others).toEqual([])
    expect(mistake).toContain('4:22 servers.web.stopGracePeriod: ')
    expect(mistake).toContain(why)
    expect(mistake?.length).toBeLessThan(500)
  })

  test('contradicts `stopSignal: SIGKILL`', async () => {
    expect(await mistakesOf(server('    stopSignal: SIGKILL\n    stopGracePeriod: 5s\n'))).toEqual([
      '5:22 servers.web.stopGracePeriod: `stopSignal: SIGKILL` leaves no time: remove one of the two',
    ])
  })
})
