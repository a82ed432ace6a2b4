import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FleetFileError, type TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import { loadFleet, loadFleetName, locateFleetFile } from './load-fleet.ts'

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
    userId: 1000,
    groupId: 1000,
    processId: 1,
    parentProcessId: 0,
    keeperFile: '/keeper.js',
    presetsFolder: '/nowhere',
    nodeHookFile: '',
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
  expect(error).toBeInstanceOf(FleetFileError)
  expect((error as TestfleetError).exitCode).toBe(2)
  return (error as FleetFileError).mistakes.map(
    ({ at, field, message }) => `${at.line}:${at.column} ${field}: ${message}`,
  )
}

const server = (lines: string): string => `servers:\n  web:\n    image: debian:bookworm-slim\n${lines}`

describe('a good file', () => {
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

  test('reads the same as YAML, as JSON and as a module', async () => {
    const value = { name: 'same', servers: { web: { image: 'a:1', ports: [80] } } }
    const yaml = await load('name: same\nservers:\n  web: { image: a:1, ports: [80] }\n')
    const json = await load(JSON.stringify(value, null, '\t'), 'testfleet.json')
    const module = await load(`export default ${JSON.stringify(value)}`, 'testfleet.mjs')
    const typed = await load(`const fleet: object = ${JSON.stringify(value)}\nexport default fleet`, 'testfleet.ts')
    for (const other of [json, module, typed]) expect([...other.servers]).toEqual([...yaml.servers])
  })

  test('is found in a folder above', async () => {
    await load(server(''))
    await mkdir(join(folder, 'a/b'), { recursive: true })
    const fleet = await loadFleet({ kind: 'file', named: undefined }, { ...host, workingFolder: join(folder, 'a/b') })
    expect(fleet.folder).toBe(folder)
  })

  test('has the real path of its file, however the file is reached, and neither reads nor runs it to find out', async () => {
    const real = join(await realpath(folder), 'real.mjs')
    await writeFile(real, 'throw new Error("it ran")')
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

  test('takes a value of the environment only where it is asked for openly', async () => {
    const fleet = await load(server('    environment: { A: { env: GIVEN }, B: "${GIVEN}", C: 7, D: true }\n'))
    expect([...(fleet.servers.get('web')?.environment.values() ?? [])]).toEqual([
      { kind: 'text', text: 'from outside', from: 'GIVEN' },
      { kind: 'text', text: '${GIVEN}' },
      { kind: 'text', text: '7' },
      { kind: 'text', text: 'true' },
    ])
  })

  test('gives one base recipe to all the servers that stand on it', async () => {
    const fleet = await load(
      'base: { packages: [curl] }\nservers:\n  a: { build: { run: [x] } }\n  b: { build: { from: other:1 } }\n  c: { build: {} }\n',
    )
    const bases = [...fleet.servers.values()].map(({ image }) =>
      image.kind === 'built' && image.recipe.kind === 'steps' ? image.recipe.from : undefined,
    )
    expect(bases[0]).toBe(bases[2])
    expect(bases[1]).not.toBe(bases[0])
  })

  test('tells its name even when the rest of it is wrong', async () => {
    await writeFile(join(folder, 'testfleet.yaml'), 'name: still\nservers: 3\n')
    expect(await loadFleetName(undefined, host)).toBe('still')
  })
})

describe('a wrong file', () => {
  test('tells every mistake at once, where it stands', async () => {
    const mistakes = await mistakesOf(server('    prots: [80]\n    ports: [0, 70000, http]\n    command: ls -l\n'))
    expect(mistakes).toEqual([
      '4:5 servers.web.prots: unknown key; did you mean `ports`?',
      '5:13 servers.web.ports[0]: must be a port from 1 to 65535, not 0',
      '5:16 servers.web.ports[1]: must be a port from 1 to 65535, not 70000',
      '5:23 servers.web.ports[2]: must be a port from 1 to 65535, such as 80 or "53/udp", not "http"',
      '6:14 servers.web.command: must be a list, not "ls -l"',
    ])
  })

  test("names the way to write what is Docker's own way of a fixed port", async () => {
    expect(await mistakesOf(server('    ports: ["8080:80", "127.0.0.1:1:2"]\n'))).toEqual([
      '4:13 servers.web.ports[0]: must be a port from 1 to 65535, such as 80 or "53/udp"; for a fixed port of this ' +
        'machine, write { container: 80, host: 8080 }, not "8080:80"',
      '4:24 servers.web.ports[1]: must be a port from 1 to 65535, such as 80 or "53/udp", not "127.0.0.1:1:2"',
    ])
  })

  const names = ['"a b"', 'a/b', '-a', '../a', '"a\\nb"', 'a'.repeat(300), 'ä', 'A', '"__proto__"']
  test.each(names)('refuses the server name %s', async (name) => {
    const [mistake] = await mistakesOf(`servers:\n  ${name}: { image: a }\n`)
    expect(mistake).toMatch(/^2:3 .*(this name must be lower-case|cannot be a key)/)
  })

  test.each([
    ['an empty file', '', /is empty/],
    ['a comment alone', '# nothing\n', /is empty/],
    ['a list', '- a\n', /must be a block of keys/],
    ['a text', 'hello\n', /must be a block of keys/],
    ['no server', 'servers: {}\n', /needs at least one server/],
    ['a key that stands twice', 'name: a\nname: b\nservers: {}\n', /^2:1 .*stands here twice/],
    ['two documents', 'name: a\n---\nname: b\n', /one document/],
    ['a bracket that is never closed', 'servers: { a: [\n', /not valid YAML/],
    ['a tag that runs code elsewhere', 'name: !!js/function "x"\n', /not valid YAML/],
    ['a key that is a list', '? [a, b]\n: c\n', /a key must be plain text/],
    ['a prototype', 'servers:\n  __proto__: { image: a }\n', /`__proto__` cannot be a key/],
  ])('refuses %s', async (_, text, message) => {
    const mistakes = await mistakesOf(text)
    expect(
      mistakes.some((mistake) => message.test(mistake)),
      mistakes.join('\n'),
    ).toBe(true)
  })

  test('refuses a YAML bomb in no time', async () => {
    const bomb = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (const [name, below] of ['ba', 'cb', 'dc', 'ed', 'fe', 'gf', 'hg', 'ih'].map((pair) => [pair[0], pair[1]])) {
      bomb.push(`${name}: &${name} [${Array(9).fill(`*${below}`).join(', ')}]`)
    }
    const before = process.threadCpuUsage()
    expect(await mistakesOf(bomb.join('\n'))).toEqual(['1:1 : has aliases that unfold to too much'])
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(2000)
  })

  test('refuses what is nested thousands deep', async () => {
    const mistakes = await mistakesOf(`servers: ${'['.repeat(100_000)}`)
    expect(mistakes[0]).toMatch(/nested too deeply|not valid YAML/)
  })

  test('refuses a file of 50 MB by its size', async () => {
    expect(await mistakesOf(Buffer.alloc(50 * 1024 * 1024, 0x23))).toEqual([
      '1:1 : has 52428800 bytes; a fleet file has at most 1048576',
    ])
  })

  test('refuses bytes that are not text', async () => {
    expect(await mistakesOf(Buffer.from([0x6e, 0xff, 0xfe, 0x00]))).toEqual(['1:1 : is not text in UTF-8'])
  })

  test('refuses a module without a fleet, and one that throws', async () => {
    await expect(load('export const a = 1', 'a.mjs')).rejects.toThrow(/no default export/)
    await expect(load('throw new Error("no luck")', 'b.mjs')).rejects.toThrow(/cannot be loaded: no luck/)
    await expect(
      load('export default { servers: { a: { image: "a", command: [() => 1] } } }', 'c.mjs'),
    ).rejects.toThrow(/servers\.a\.command\[0\] is a function/)
  })
})

describe('relations', () => {
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

  test('two servers cannot have one fixed port', async () => {
    const text =
      'servers:\n  a: { image: a, ports: [{ container: 1, host: 99 }] }\n  b: { image: a, ports: [{ container: 2, host: 99 }] }\n'
    expect(await mistakesOf(text)).toEqual([
      '3:26 servers.b.ports[0]: the port 99 of this machine is taken by `a` already',
    ])
  })

  test('names of the public internet are for servers that say so', async () => {
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
  })

  test('an export names what there is', async () => {
    const mistakes = await mistakesOf(
      server('    ports: [80]\n    export: { A: "${port.81}", B: "${secret.x}", C: "${nothing}", D: "${host}" }\n'),
    )
    expect(mistakes).toEqual([
      '5:18 servers.web.export.A: there is no port 81 in `ports`',
      '5:35 servers.web.export.B: there is no secret `x`; declare it in `secrets`',
      '5:53 servers.web.export.C: ${nothing} is not known; there are ${host}, ${port.N}, ${hostname} and ${secret.NAME}',
    ])
  })

  test('a variable that is not set is a mistake of its own', async () => {
    expect(await mistakesOf(server('    environment: { A: { env: MISSING } }\n'))).toEqual([
      '4:30 servers.web.environment.A.env: the variable MISSING is not set where testfleet was called',
    ])
  })
})

describe('paths', () => {
  const copy = (from: string): string => `servers:\n  a:\n    build:\n      copy: [{ from: ${from}, to: /x }]\n`

  test('of files that are not there, or of the wrong kind, are mistakes', async () => {
    await mkdir(join(folder, 'folder'))
    expect(await mistakesOf(copy('missing'))).toEqual([
      '4:22 servers.a.build.copy[0].from: there is no file or folder missing',
    ])
    expect(await mistakesOf('servers:\n  a: { build: { dockerfile: folder } }\n')).toEqual([
      '2:29 servers.a.build.dockerfile: folder is a folder; a file must stand here',
    ])
    expect(await mistakesOf('servers:\n  a: { image: a, secrets: { S: { file: folder } } }\n')).toEqual([
      '2:40 servers.a.secrets.S.file: folder is a folder; a file must stand here',
    ])
  })

  test.each(['../outside', '/etc/passwd', 'link'])('cannot leave the folder of the fleet: %s', async (path) => {
    await symlink('/etc', join(folder, 'link'))
    const [mistake] = await mistakesOf(copy(path))
    expect(mistake).toMatch(/leads out of the fleet's folder|there is no file or folder/)
  })

  test('of secrets are small', async () => {
    const secret = 'servers:\n  a: { image: a, secrets: { S: { file: secret } } }\n'
    await writeFile(join(folder, 'secret'), Buffer.alloc(500 * 1024))
    await load(secret)
    await writeFile(join(folder, 'secret'), Buffer.alloc(500 * 1024 + 1))
    expect(await mistakesOf(secret)).toEqual([
      '2:40 servers.a.secrets.S.file: secret has 512001 bytes; it can have at most 512000',
    ])
  })

  test('may leave it where `outside` stands beside them, and there alone', async () => {
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
