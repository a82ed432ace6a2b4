import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import {
  type CommandResult,
  countLeftovers,
  mainFile,
  makeFleetFolder,
  removeFleetFolders,
  SOON_MS,
  startTestfleet,
} from '../support/command.ts'
import { openFalseEngine, saysNothing } from '../support/false-engine.ts'
import { runWithoutOverride } from '../support/ordinary-user.ts'
import { wide, wideIf } from '../support/tiers.ts'

afterEach(removeFleetFolders)

/** With an engine that hears of every call and answers none. */
async function callUntouched(words: readonly string[], cwd: string): Promise<CommandResult> {
  await using engine = await openFalseEngine(saysNothing)
  const result = await runWithoutOverride(words, { cwd, env: { DOCKER_HOST: engine.url } })
  expect(engine.calls, 'calls of the engine').toBe(0)
  return result
}

/** That `up` refuses the folder's fleet with these mistakes, in words and as JSON, and that nobody asks the engine. */
async function expectMistakes(folder: string, mistakes: readonly string[], words: readonly string[] = ['up']) {
  const json = await callUntouched([...words, '--json'], folder)
  const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`
  expect(json.stderr).toBe(
    `error: the fleet file has ${count}; nothing was touched\n${mistakes.map((mistake) => `  ${mistake}\n`).join('')}`,
  )
  const { error } = JSON.parse(json.stdout)
  expect(error).toMatchObject({ code: 'FLEET_FILE_INVALID', message: mistakes.join('\n') })
  expect(error.mistakes).toHaveLength(mistakes.length)
  expect(error.mistakes[0]).toMatchObject({ file: error.file, line: error.line, column: error.column })
  expect(json.exitCode).toBe(2)
}

async function expectMistakesOf(yaml: string | Uint8Array, mistakes: readonly string[]): Promise<void> {
  const folder = await makeFleetFolder({ 'testfleet.yaml': yaml })
  await expectMistakes(
    folder,
    mistakes.map((mistake) => `testfleet.yaml:${mistake}`),
  )
}

/** One server, with these lines as its keys. */
function server(...lines: readonly string[]): string {
  return `servers:\n  web:\n${lines.map((line) => `    ${line}\n`).join('')}`
}

describe('mistakes in keys and types', () => {
  test('an unknown key is reported with the nearest known key', async () => {
    await expectMistakesOf(
      `domian: web.test\n${server('image: nginx', 'prots: [80]', 'ready: [{ tpc: 80 }, { http: { prot: 80 } }]')}`,
      [
        '1:1: domian: unknown key; did you mean `domain`?',
        '5:5: servers.web.prots: unknown key; did you mean `ports`?',
        '6:13: servers.web.ready[0]: needs exactly one kind of check',
        '6:15: servers.web.ready[0].tpc: unknown key; did you mean `tcp`?',
        '6:34: servers.web.ready[1].http.port: is missing',
        '6:36: servers.web.ready[1].http.prot: unknown key; did you mean `port`?',
      ],
    )
  })

  test('an unknown key that resembles no known key is reported with all known keys', async () => {
    await expectMistakesOf(server('image: nginx', 'limits: { disk: 1g }'), [
      '4:15: servers.web.limits.disk: unknown key; known here: memory, cpus, pids',
    ])
  })

  test('a value of a wrong type is reported with the expected type and the value', async () => {
    await expectMistakesOf(
      server(
        'image: 7',
        'command: ls -l',
        'init: "yes"',
        'environment: [A=1]',
        'ports: 80',
        'dependsOn: { db: true }',
        'readyTimeout: soon',
        'limits: { memory: lots, cpus: many }',
        'tmpfs: [7]',
      ),
      [
        '3:12: servers.web.image: must be text, not 7; write "7"',
        '4:14: servers.web.command: must be a list, not "ls -l"; write [ls, -l]',
        '5:11: servers.web.init: must be true or false, not "yes"; write true',
        '6:18: servers.web.environment: must be a block of keys, not a list; write { A: "1" }',
        '7:12: servers.web.ports: must be a list, not 80; write [80]',
        '8:16: servers.web.dependsOn: must be a list, not a block of keys; write [db]',
        '9:19: servers.web.readyTimeout: must be a time such as 500ms, 30s or 2m, not "soon"',
        '10:23: servers.web.limits.memory: must be a size such as 256m or 1g, not "lots"',
        '10:35: servers.web.limits.cpus: must be a number, not "many"',
        '11:13: servers.web.tmpfs[0]: must be text or a block of keys, not 7',
      ],
    )
  })

  test('a server without exactly one of image, build and preset is refused', async () => {
    await expectMistakesOf('servers:\n  a: { image: x, build: {} }\n  b: { ports: [80] }\n  c:\n', [
      '2:6: servers.a: needs exactly one of `image`, `build`, `preset`, `process` and `external`',
      '3:6: servers.b: needs exactly one of `image`, `build`, `preset`, `process` and `external`',
      '4:5: servers.c: must be a block of keys, not nothing',
    ])
  })
})

describe('an invalid name is refused', () => {
  const rule = 'must be lower-case letters, digits and dashes, at most 40, with a letter or digit at both ends'
  const long = 'x'.repeat(300)
  const badNames = ['a b', 'a/b', '-a', '../a', 'a\nb', long, 'ä', 'Web', 'a_b', '', 'a-']

  test('for a server', async () => {
    const lines = badNames.map((name) => `  ${JSON.stringify(name)}: { image: x }\n`)
    const shown = badNames.map((name) =>
      /^[\w-]+$/.test(name) ? `servers.${name}` : `servers[${JSON.stringify(name)}]`,
    )
    await expectMistakesOf(
      `servers:\n${lines.join('')}`,
      shown.map((field, index) => `${index + 2}:3: ${field}: this name ${rule}`),
    )
  })

  test.each(['a b', '../a', 'a\nb', long, 'ä'])('for a fleet: %j', wide, async (name) => {
    const shown = name === long ? `"${'x'.repeat(56)}…"` : JSON.stringify(name)
    await expectMistakesOf(`name: ${JSON.stringify(name)}\n${server('image: x')}`, [`1:7: name: ${rule}, not ${shown}`])
  })

  test('for a fleet, by a command that needs only the name', async () => {
    const folder = await makeFleetFolder({ 'testfleet.yaml': `name: a b\n${server('image: x')}` })
    await expectMistakes(folder, [`testfleet.yaml:1:7: name: ${rule}, not "a b"`], ['rmi'])
    const numbered = await makeFleetFolder({ 'testfleet.yaml': `name: 5\n${server('image: x')}` })
    await expectMistakes(numbered, ['testfleet.yaml:1:7: name: must be text, not 5; write "5"'], ['rmi'])
  })

  test.each(['a b', 'a/b', '../a', 'a\nb', long, 'ä'])('for a session: %j', wide, async (name) => {
    const folder = await makeFleetFolder({ 'testfleet.yaml': server('image: x') })
    const { exitCode, stdout, stderr } = await callUntouched(['up', '--session', name], folder)
    expect(stderr).toBe(
      `error: ${JSON.stringify(name)} cannot be the name of a session\n` +
        'hint: Use lower-case letters, digits and dashes, at most 48, with a letter or digit at both ends.\n',
    )
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
  })

  test('for everything else that follows a grammar', async () => {
    await expectMistakesOf(
      server(
        'build:',
        '  from: "debian; rm -rf /"',
        '  packages: ["nginx; reboot", --allow-unauthenticated, "a b"]',
        '  copy: [{ content: x, to: etc/x }, { content: x, to: /a/../../b, mode: 0644, owner: "me you" }]',
        'aliases: [-not-a-host, "a b"]',
        'environment: { "": 1, "A=B": 2 }',
        'mounts: [{ volume: ../up, to: /data }]',
        'user: "me; you"',
      ),
      [
        '4:13: servers.web.build.from: must be an image reference such as debian:bookworm-slim, not "debian; rm -rf /"',
        '5:18: servers.web.build.packages[0]: must be the name of a Debian package, such as nginx or nginx=1.22.1-9, not "nginx; reboot"',
        '5:35: servers.web.build.packages[1]: must be the name of a Debian package, such as nginx or nginx=1.22.1-9, not "--allow-unauthenticated"',
        '5:60: servers.web.build.packages[2]: must be the name of a Debian package, such as nginx or nginx=1.22.1-9, not "a b"',
        '6:32: servers.web.build.copy[0].to: must be an absolute path inside the server, with no `..` and no control characters, not "etc/x"',
        '6:59: servers.web.build.copy[1].to: must be an absolute path inside the server, with no `..` and no control characters, not "/a/../../b"',
        '6:77: servers.web.build.copy[1].mode: must be text, not 644; write "644"',
        '6:90: servers.web.build.copy[1].owner: must be a user, or user:group, not "me you"',
        '7:15: servers.web.aliases[0]: must be a host name, not "-not-a-host"',
        '7:28: servers.web.aliases[1]: must be a host name, not "a b"',
        '8:20: servers.web.environment[""]: this name must be the name of a variable: at most 4096 characters, none of them `=` or NUL',
        '8:27: servers.web.environment["A=B"]: this name must be the name of a variable: at most 4096 characters, none of them `=` or NUL',
        '9:24: servers.web.mounts[0].volume: must be lower-case letters, digits and dashes, at most 40, with a letter or digit at both ends, not "../up"',
        '10:11: servers.web.user: must be a user, or user:group, not "me; you"',
      ],
    )
  })
})

describe('invalid ports are refused', () => {
  test('when they are not numbers from 1 to 65535', async () => {
    const ports = '[0, 70000, http, "80", -1, "80/icmp", { container: 80, host: 0 }, { container: http }]'
    const such = 'must be a port from 1 to 65535, such as 80 or "53/udp"'
    await expectMistakesOf(server('image: x', `ports: ${ports}`), [
      '4:13: servers.web.ports[0]: must be a port from 1 to 65535, not 0',
      '4:16: servers.web.ports[1]: must be a port from 1 to 65535, not 70000',
      `4:23: servers.web.ports[2]: ${such}, not "http"`,
      `4:29: servers.web.ports[3]: ${such}, not "80"`,
      '4:35: servers.web.ports[4]: must be a port from 1 to 65535, not -1',
      `4:39: servers.web.ports[5]: ${such}, not "80/icmp"`,
      '4:73: servers.web.ports[6].host: must be a port from 1 to 65535, not 0',
      '4:91: servers.web.ports[7].container: must be a port from 1 to 65535, or a range of at most 1000 such as 30000-30009, not "http"',
    ])
  })

  test('when two servers use the same port of this machine', async () => {
    const yaml = `servers:
  a: { image: x, ports: [{ container: 80, host: 8080 }] }
  b: { image: x, ports: [{ container: 81, host: 8080 }] }
  c: { image: x, ports: [{ container: 82, host: 8080, address: 0.0.0.0 }] }
  d: { image: x, ports: [{ container: 83, host: 8080, protocol: udp }, 90, 90] }
`
    await expectMistakesOf(yaml, [
      '3:26: servers.b.ports[0]: the port 8080 of this machine is taken by `a` already',
      '4:26: servers.c.ports[0]: the port 8080 of this machine is taken by `a` already',
      '5:76: servers.d.ports[2]: the port 90/tcp is duplicated',
    ])
  })
})

describe('invalid dependencies are refused', () => {
  test('on the server itself, on an unknown server, and in a circle of three', async () => {
    const yaml = `servers:
  one: { image: x, dependsOn: [one] }
  two: { image: x, dependsOn: [nobody, on, three, three] }
  three: { image: x }
  a: { image: x, dependsOn: [b] }
  b: { image: x, dependsOn: [c] }
  c: { image: x, dependsOn: [a] }
`
    await expectMistakesOf(yaml, [
      '2:32: servers.one.dependsOn[0]: `one` cannot depend on itself',
      '3:32: servers.two.dependsOn[0]: there is no server `nobody`; there are: one, three, a, b, c',
      '3:40: servers.two.dependsOn[1]: there is no server `on`; did you mean `one`?',
      '3:51: servers.two.dependsOn[3]: `three` is duplicated',
      '7:30: servers.c.dependsOn[0]: is a circle: a → b → c → a',
    ])
  })
})

describe('refuses a fleet file that', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['is empty', '', '1:1: is empty; it needs at least `servers`'],
    ['has only comments', '# later\n', '1:1: is empty; it needs at least `servers`'],
    ['is a list', '- web\n', '1:1: must be a block of keys, not a list'],
    ['has no server', 'servers: {}\n', '1:10: servers: needs at least one server'],
    ['has a key twice', `name: a\n${server('image: x')}name: b\n`, '5:1: this key is duplicated'],
    ['has a server twice', 'servers:\n  a: { image: x }\n  a: { image: y }\n', '3:3: this key is duplicated'],
    ['has the key __proto__', '__proto__: { name: x }\nservers: {}\n', '1:1: `__proto__` cannot be a key'],
    ['has a server called __proto__', 'servers: { "__proto__": { image: x } }\n', '1:12: `__proto__` cannot be a key'],
    [
      'is two documents',
      `name: a\n---\n${server('image: x')}`,
      '2:1: a fleet file is one document; a second one starts here',
    ],
    ['is not text', Uint8Array.of(0x73, 0xff, 0xfe, 0x00), '1:1: is not text in UTF-8'],
    ['has 50 MB', Buffer.alloc(50 * 1024 * 1024, '# '), '1:1: has 52428800 bytes; a fleet file has at most 1048576'],
    ['is nested thousands deep', `servers: ${'{ a: '.repeat(20_000)}`, '1:1: is nested too deeply'],
  ])('%s', wide, async (_, yaml, mistake) => {
    await expectMistakesOf(yaml, [mistake])
  })

  test('has aliases that expand to gigabytes', async () => {
    const lines = ['a: &a [x, x, x, x, x, x, x, x, x]']
    for (const [below, name] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi', 'ij']) {
      lines.push(`${name}: &${name} [${Array(9).fill(`*${below}`).join(', ')}]`)
    }
    const folder = await makeFleetFolder({ 'testfleet.yaml': `${lines.join('\n')}\n` })
    await expectMistakes(folder, ['testfleet.yaml:1:1: has aliases that unfold to too much'])
    expect((await callUntouched(['check'], folder)).elapsedMs).toBeLessThan(SOON_MS)
  })

  test('cannot be read', async () => {
    const folder = await makeFleetFolder({ 'testfleet.yaml': server('image: x') })
    await chmod(join(folder, 'testfleet.yaml'), 0)
    await expectMistakes(folder, ['testfleet.yaml:1:1: cannot be read: permission denied'])
  })

  test('is JSON with an unknown key', async () => {
    const folder = await makeFleetFolder({
      'testfleet.json': '{\n  "servers": {\n    "web": { "image": "x", "port": [80] }\n  }\n}\n',
    })
    await expectMistakes(folder, ['testfleet.json:3:28: servers.web.port: unknown key; did you mean `ports`?'])
  })

  test('is a module that throws, has no fleet, or has one with mistakes', async () => {
    const folder = await makeFleetFolder({
      'throws.mjs': 'throw new Error("no luck")\n',
      'empty.mjs': 'export const fleet = {}\n',
      'wrong.ts': 'const ports: unknown = [0]\nexport default { servers: { web: { image: "x", ports } } }\n',
    })
    await expectMistakes(folder, ['throws.mjs:1:1: cannot be loaded: no luck'], ['up', '-f', 'throws.mjs'])
    await expectMistakes(
      folder,
      ['empty.mjs:1:1: has no default export; write `export default defineFleet({ … })`'],
      ['up', '-f', 'empty.mjs'],
    )
    const { exitCode, stderr } = await callUntouched(['up', '-f', 'wrong.ts'], folder)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('wrong.ts: servers.web.ports[0]: must be a port from 1 to 65535, not 0')
  })

  test('does not exist', async () => {
    const folder = await makeFleetFolder({ 'folder.yaml/file': '' })
    for (const [words, message] of [
      [['up'], `there is no fleet file in ${folder} nor above it`],
      [['up', '-f', 'missing.yaml'], 'missing.yaml is not a file'],
      [['up', '-f', 'folder.yaml'], 'folder.yaml is not a file'],
    ] as const) {
      const result = await callUntouched(words, folder)
      expect(result.stderr).toContain(`error: ${message}\nhint: `)
      expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    }
  })

  for (const words of ['check', 'plan', 'build', 'up', 'run -- true', 'rmi web'])
    test(`has a mistake, in testfleet ${words}`, wideIf(!['up', 'build'].includes(words)), async () => {
      const folder = await makeFleetFolder({ 'testfleet.yaml': server('image: x', 'prots: [80]') })
      const result = await callUntouched(words.split(' '), folder)
      expect(result.stderr).toBe(
        'error: the fleet file has a mistake; nothing was touched\n' +
          '  testfleet.yaml:4:5: servers.web.prots: unknown key; did you mean `ports`?\n',
      )
      expect(result).toMatchObject({ exitCode: 2, stdout: '' })
    })

  test('has a mistake and is above the working folder, with its full path', async () => {
    const folder = await makeFleetFolder({ 'testfleet.yaml': server('image: 7'), 'deep/down/file': '' })
    const result = await callUntouched(['check'], join(folder, 'deep/down'))
    expect(result.stderr).toContain(
      `  ${folder}/testfleet.yaml:3:12: servers.web.image: must be text, not 7; write "7"\n`,
    )
  })
})

describe('files that a fleet file names are refused', () => {
  test('when they do not exist, are of the wrong kind, or are outside the folder of the fleet file', async () => {
    const yaml = `servers:
  a:
    build:
      copy:
        - { from: missing.conf, to: /x }
        - { from: ../outside, to: /y }
        - { from: link, to: /z }
    secrets: { S: { file: folder } }
    mounts: [{ from: nowhere, to: /data }]
  b: { build: { dockerfile: folder } }
  c: { build: { dockerfile: Dockerfile, context: Dockerfile } }
  d: { build: { dockerfile: circle } }
`
    const folder = await makeFleetFolder({ 'testfleet.yaml': yaml, 'folder/file': '', Dockerfile: 'FROM scratch\n' })
    await symlink('/etc', join(folder, 'link'))
    await symlink('circle', join(folder, 'circle'))
    await expectMistakes(folder, [
      'testfleet.yaml:5:19: servers.a.build.copy[0].from: there is no file or folder missing.conf',
      'testfleet.yaml:6:19: servers.a.build.copy[1].from: there is no file or folder ../outside',
      "testfleet.yaml:7:19: servers.a.build.copy[2].from: link leads out of the fleet's folder; `outside: true` allows it",
      'testfleet.yaml:8:27: servers.a.secrets.S.file: folder is a folder, not a file',
      'testfleet.yaml:9:22: servers.a.mounts[0].from: there is no file or folder nowhere',
      'testfleet.yaml:10:29: servers.b.build.dockerfile: folder is a folder, not a file',
      'testfleet.yaml:11:50: servers.c.build.context: Dockerfile is a file, not a folder',
      'testfleet.yaml:12:29: servers.d.build.dockerfile: circle cannot be read: its links lead in a circle',
    ])
  })

  test('when the user may not read them', async () => {
    const yaml = server('build: { copy: [{ from: folder, to: /x }] }', 'secrets: { S: { file: secret } }')
    const folder = await makeFleetFolder({ 'testfleet.yaml': yaml, 'folder/file': '', secret: '' })
    await chmod(join(folder, 'folder'), 0)
    await chmod(join(folder, 'secret'), 0)
    await expectMistakes(folder, [
      'testfleet.yaml:3:29: servers.web.build.copy[0].from: folder cannot be read: permission denied',
      'testfleet.yaml:4:27: servers.web.secrets.S.file: secret cannot be read: permission denied',
    ])
    await chmod(join(folder, 'folder'), 0o700)
  })

  test('when they are in a copied folder and the user may not read them', async () => {
    const name = 'bad-copy'
    const yaml = `name: ${name}\n${server('build:', '  copy:', '    - { from: data, to: /data }')}`
    const folder = await makeFleetFolder({ 'testfleet.yaml': yaml, 'data/file': 'x' })
    await chmod(join(folder, 'data/file'), 0)
    const [build, up, json] = await Promise.all(
      ['build', 'up', 'up --json'].map((words) => runWithoutOverride(words.split(' '), { cwd: folder })),
    )
    const message = 'data/file cannot be read: permission denied'
    const hint = "What is copied are files and folders within the fleet's folder; nothing was touched."
    for (const text of [build, up]) {
      expect(text?.stderr).toBe(`error: ${message}\n  asked for at testfleet.yaml:6:19\nhint: ${hint}\n`)
      expect(text).toMatchObject({ exitCode: 2, stdout: '' })
    }
    expect(JSON.parse(json?.stdout ?? '')).toEqual({
      error: { code: 'FLEET_FILE_INVALID', message, hint, file: 'testfleet.yaml', line: 6, column: 19 },
    })
    expect(await countLeftovers(name)).toBe(0)
  })
})

describe('unknown variables and secrets are refused', () => {
  test('also when their names are properties of every JavaScript object', async () => {
    const yaml = server(
      'image: x',
      'environment: { A: { env: NOT_SET }, B: { env: toString }, C: { secret: S }, D: { secret: constructor } }',
      'secrets: { T: { generate: 20 } }',
      'export: { U: "${secret.S}", V: "${port.80}", W: "${hots}" }',
    )
    await expectMistakesOf(yaml, [
      '4:30: servers.web.environment.A.env: the variable NOT_SET is not set where testfleet was called',
      '4:51: servers.web.environment.B.env: the variable toString is not set where testfleet was called',
      '4:76: servers.web.environment.C.secret: there is no secret `S`; declare it in `secrets`',
      '4:94: servers.web.environment.D.secret: there is no secret `constructor`; declare it in `secrets`',
      '6:18: servers.web.export.U: there is no secret `S`; declare it in `secrets`',
      '6:36: servers.web.export.V: there is no port 80 in `ports`',
      '6:53: servers.web.export.W: ${hots} is not known; there are ${endpoint.N}, ${host}, ${port.N}, ${hostname}, ${secret.NAME} and ${database}',
    ])
  })
})

describe('calls with wrong arguments', () => {
  test('in a folder that was deleted are refused if they need the folder, and work otherwise', async () => {
    const folder = await makeFleetFolder({ 'gone/x': '' })
    const script = 'cd "$1/gone" && rm -r "$1/gone" && shift && "$@"'
    const callThere = async (...words: string[]) => {
      await mkdir(join(folder, 'gone'), { recursive: true })
      const prefix = ['sh', '-c', script, 'sh', folder, process.execPath, mainFile, ...words]
      return startTestfleet([], { prefix, isBare: true }).result
    }
    for (const words of [['check'], ['up'], ['ps'], ['run', '--', 'true'], ['init']]) {
      expect([words, await callThere(...words)]).toEqual([
        words,
        expect.objectContaining({
          exitCode: 2,
          stderr: 'error: the working folder has been removed\nhint: Change to a folder that exists.\n',
        }),
      ])
    }
    for (const words of [['version'], ['schema'], ['down', '--session', 'nobody-has-it'], ['ps', '--all']]) {
      expect([words, (await callThere(...words)).exitCode]).toEqual([words, 0])
    }
  })

  test.each<[readonly string[], string, string | undefined]>([
    [['upp'], 'there is no command "upp"', 'Did you mean `testfleet up`?'],
    [['frobnicate'], 'there is no command "frobnicate"', 'See `testfleet help`.'],
    [['--quiet'], 'the command is missing', 'Usage: testfleet [OPTION…] COMMAND [OPTION…]; see `testfleet help`.'],
    [['up', '--sesion', 'x'], 'testfleet up has no option --sesion', 'Did you mean --session?'],
    [['ps', '--keep'], 'testfleet ps has no option --keep', 'See `testfleet ps --help`.'],
    [['up', '--bind', 'loose'], '--bind takes free or fixed, not "loose"', 'See `testfleet up --help`.'],
    [
      ['endpoints', '--format', 'xml'],
      '--format takes env, dotenv, json, shell or github, not "xml"',
      'See `testfleet endpoints --help`.',
    ],
    [['logs', '--tail', 'all'], '--tail takes a number, not "all"', undefined],
    [['down', 'web'], 'testfleet down does not take "web"', 'Usage: testfleet down'],
    [['rm'], 'the server is missing', 'To remove them all, run `testfleet down`.'],
    [['exec', 'web'], 'the command after `--` is missing', 'Usage: testfleet exec SERVER -- CMD…'],
    [['exec', '--', 'ls'], 'the server is missing', 'Usage: testfleet exec SERVER -- CMD…'],
    [['exec', 'a', 'b', '--', 'ls'], 'one server at a time', 'Usage: testfleet exec SERVER -- CMD…'],
    [['run'], 'the command after `--` is missing', 'Usage: testfleet run -- CMD…'],
    [['run', 'npm', 'test'], 'the command after `--` is missing', 'Usage: testfleet run -- CMD…'],
    [['up', '--', 'ls'], 'testfleet up takes nothing after `--`', 'Usage: testfleet up [SERVER…]'],
    [
      ['run', '--', 'no-such-program'],
      'the program "no-such-program" does not exist',
      'Check its spelling, and that it is on the PATH.',
    ],
    [
      ['run', '--', './testfleet.yaml'],
      'the program "./testfleet.yaml" does not exist',
      'Check its path, and that it is executable.',
    ],
    [['up', 'wbe'], 'there is no server `wbe`', 'Did you mean `web`? The servers are: web.'],
    [['plan', 'web', 'wbe'], 'there is no server `wbe`', 'Did you mean `web`? The servers are: web.'],
    [['build', 'wbe'], 'there is no server `wbe`', 'Did you mean `web`? The servers are: web.'],
    [['rmi', 'wbe'], 'there is no server `wbe`', 'Did you mean `web`? The servers are: web.'],
    [['run', '--server', 'wbe', '--', 'true'], 'there is no server `wbe`', 'Did you mean `web`? The servers are: web.'],
    [['init'], 'testfleet.yaml is there already; nothing was changed', 'Name another file with -f.'],
  ])('are refused: testfleet %j', wide, async (words, message, hint) => {
    const folder = await makeFleetFolder({ 'testfleet.yaml': server('image: "debian:bookworm-slim"') })
    const beforeCommand = words.includes('--') ? words.indexOf('--') : words.length
    const [text, json] = await Promise.all([
      callUntouched(words, folder),
      callUntouched(words.toSpliced(beforeCommand, 0, '--json'), folder),
    ])
    expect(text.stderr).toBe(`error: ${message}\n${hint === undefined ? '' : `hint: ${hint}\n`}`)
    expect(text).toMatchObject({ exitCode: 2, stdout: '' })
    expect(JSON.parse(json.stdout)).toEqual({
      error: { code: expect.stringMatching(/^(USAGE|UNKNOWN_SERVER)$/), message, hint },
    })
    expect(json.exitCode).toBe(2)
  })

  test('may have --json after `--`, where it belongs to the command', async () => {
    const folder = await makeFleetFolder({ 'testfleet.yaml': server('image: x') })
    const result = await callUntouched(['run', '--', 'no-such-program', '--json'], folder)
    expect(result).toMatchObject({ exitCode: 2, stdout: '' })
  })
})
