import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { type Fleet, imageOf, type Server } from '../model/fleet.ts'
import { loadFleet } from './load-fleet.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-presets-'))
})

afterEach(() => rm(folder, { recursive: true, force: true }))

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
}

const load = (): Promise<Fleet> =>
  loadFleet({ kind: 'file', named: undefined }, { ...currentHost(), workingFolder: folder })

async function loadServer(
  server: string,
  preset: string,
  files: Readonly<Record<string, string>> = {},
): Promise<Server> {
  await write({ 'testfleet.yaml': `name: n\nservers:\n  s: ${server}\n`, 'own/preset.yaml': preset, ...files })
  const found = (await load()).servers.get('s')
  if (found === undefined) throw new Error('the server is not there')
  return found
}

const mistakeOf = (server: string, preset: string, files?: Readonly<Record<string, string>>): Promise<string> =>
  loadServer(server, preset, files).then(
    () => 'no mistake',
    (error: Error) => error.message,
  )

const plain = 'description: d\nserver:\n  image: debian:bookworm-slim\n'

describe('options of a preset', () => {
  const preset = `description: d
options:
  word: { type: text, describe: d, pattern: "[a-z]+", default: abc }
  mode: { type: text, describe: d, values: [fast, slow] }
  count: { type: number, describe: d, min: 1, max: 9 }
  on: { type: boolean, describe: d }
  words: { type: list, describe: d }
  users: { type: users, describe: d, pattern: "[a-z]+" }
  owner: { type: text, describe: d, pattern: "[a-z]+", form: "a word in lower case", reserved: { names: [root], reason: "it is the system's" } }
  owners: { type: users, describe: d, pattern: "[a-z]+", form: "a word in lower case", reserved: { names: [root], reason: "it is the system's" } }
  key: { type: text, describe: d, needs: on }
  marks: { type: list, describe: d, pattern: "[a-z]+", form: "a word in lower case" }
  seed: { type: path, describe: d }
  text: { type: path, kind: file, describe: d }
  pages: { type: path, kind: folder, describe: d }
server:
  build:
    copy:
      - { from: files/start, to: /start }
      - { if: seed, then: { from: { option: seed }, to: /seed } }
  command: [run, { option: word }, { option: words }, { if: on, then: --on, else: --off }, { if: mode, is: fast, then: --fast }]
  environment: { WORD: { option: word }, COUNT: { option: count } }
  secrets: { user.*: { option: users } }
  export: { WORD: "\${option.word}", TEXT: "\${hostname}", ON: { if: on, then: "\${option.count}" } }
`
  const files = { 'own/files/start': 'start', 'seed.txt': 'seed' }

  test('have their defaults if nobody sets them, or no effect', async () => {
    const server = await loadServer('{ preset: ./own }', preset, files)
    expect(server.command).toEqual(['run', 'abc', '--off'])
    expect([...server.environment.keys()]).toEqual(['WORD'])
    expect([...server.export.keys()]).toEqual(['WORD', 'TEXT'])
    expect(server.secrets.size).toBe(0)
    expect(imageOf(server)).toMatchObject({
      recipe: { steps: { copy: [{ source: { path: join(folder, 'own/files/start') } }] } },
    })
  })

  test('replace their placeholders', async () => {
    const asked =
      '{ word: xyz, mode: fast, count: 3, on: true, words: [a, b], users: { bob: { generate: 9 } }, seed: seed.txt }'
    const server = await loadServer(`{ preset: ./own, options: ${asked} }`, preset, files)
    expect(server.command).toEqual(['run', 'xyz', 'a', 'b', '--on', '--fast'])
    expect(server.environment.get('COUNT')).toEqual({ kind: 'text', text: '3' })
    expect([...server.secrets]).toEqual([['user.bob', { kind: 'generate', length: 9 }]])
    expect(Object.fromEntries(server.export)).toEqual({ WORD: 'xyz', TEXT: '${hostname}', ON: '3' })
    expect(imageOf(server)).toMatchObject({
      recipe: { steps: { copy: [{}, { source: { path: join(folder, 'seed.txt') } }] } },
    })
  })

  test.each([
    ['{ wrod: a }', '3:45: servers.s.options.wrod: the preset ./own has no such option; did you mean `word`?'],
    ['{ word: ABC }', '3:45: servers.s.options.word: "ABC" does not match [a-z]+'],
    ['{ word: 3 }', '3:45: servers.s.options.word: must be text'],
    ['{ mode: quick }', '3:45: servers.s.options.mode: must be fast or slow, not "quick"'],
    ['{ count: 10 }', '3:46: servers.s.options.count: must be at most 9'],
    ['{ on: "yes" }', '3:43: servers.s.options.on: must be true or false'],
    ['{ words: a }', '3:46: servers.s.options.words: must be a list of text'],
    ['{ users: { BOB: { generate: 9 } } }', '3:46: servers.s.options.users: "BOB" does not match [a-z]+'],
    ['{ owner: ABC }', '3:46: servers.s.options.owner: must be a word in lower case, not "ABC"'],
    ['{ owner: root }', `3:46: servers.s.options.owner: cannot be "root": it is the system's`],
    ['{ owners: { root: { generate: 9 } } }', `3:47: servers.s.options.owners: cannot be "root": it is the system's`],
    ['{ owners: { a1: { generate: 9 } } }', '3:47: servers.s.options.owners: must be a word in lower case, not "a1"'],
    ['{ key: a }', '3:44: servers.s.options.key: has no effect without `on`'],
    ['{ on: false, key: a }', 'servers.s.options.key: has no effect without `on`'],
    ['{ owner: a, users: { ROOT: { value: a } } }', 'servers.s.options.users: "ROOT" does not match [a-z]+'],
    ['{ marks: [a, B] }', '3:46: servers.s.options.marks: must be a word in lower case, not "B"'],
    ['{ seed: none.txt }', '3:45: servers.s.options.seed: there is no file or folder none.txt'],
    ['{ seed: ../x }', '3:45: servers.s.options.seed: there is no file or folder ../x'],
    ['{ seed: .. }', "3:45: servers.s.options.seed: .. leads out of the fleet's folder"],
    ['{ seed: [a] }', '3:45: servers.s.options.seed: must be a path'],
    ['{ text: own }', '3:45: servers.s.options.text: own is a folder, not a file'],
    ['{ text: none }', '3:45: servers.s.options.text: there is no file none'],
    ['{ pages: seed.txt }', '3:46: servers.s.options.pages: seed.txt is a file, not a folder'],
    ['{ pages: seed.txt/x }', '3:46: servers.s.options.pages: there is no folder seed.txt/x'],
  ])('%s is reported with its position', async (asked, message) => {
    expect(await mistakeOf(`{ preset: ./own,      options: ${asked} }`, preset, files)).toContain(message)
  })

  test('of type path with an unknown kind are refused', async () => {
    expect(await mistakeOf('{ preset: ./own }', preset.replace('kind: file', 'kind: pipe'), files)).toContain(
      'own/preset.yaml:14:29: options.text.kind: must be file or folder, not "pipe"',
    )
  })

  test('with mistakes are reported with all other mistakes of the file, each once', async () => {
    const asked = '{ count: 10, mode: { a: [1] }, wrod: [[]] }'
    const message = await mistakeOf(`{ preset: ./own, prots: [80], user: -1, options: ${asked} }`, preset, files)
    expect(message.split('\n')).toHaveLength(5)
    for (const field of ['prots', 'user', 'options.count', 'options.mode', 'options.wrod'])
      expect(message).toContain(`servers.s.${field}: `)
  })

  test('are data: no value becomes a line, a variable or a template', async () => {
    const asked = '{ word: "a\\nb" }'
    expect(
      await mistakeOf(`{ preset: ./own, options: ${asked} }`, preset.replace(', pattern: "[a-z]+"', ''), files),
    ).toContain('must be one line with no control characters')
    const sly = '{ word: "${secret.x}" }'
    const server = await loadServer(
      `{ preset: ./own, options: ${sly} }`,
      preset.replace(', pattern: "[a-z]+"', ''),
      files,
    )
    expect(server.export.get('WORD')).toBe('{secret.x}')
    expect(server.command).toEqual(['run', '${secret.x}', '--off'])
  })

  test('are percent-encoded in the login of a URL, and nowhere else', async () => {
    const own = `description: d
options: { user: { type: text, describe: d } }
server: { image: "a:1", ports: [80], ready: [{ tcp: 80 }], export: {
  URL: "mqtt://\${option.user}:\${secret.PW}@\${host}", PLAIN: "http://\${host}/\${option.user}" }, secrets: { PW: { generate: 9 } } }
`
    const server = await loadServer('{ preset: ./own, options: { user: "a@b:c/d" } }', own, files)
    expect(server.export.get('URL')).toBe('mqtt://a%40b%3Ac%2Fd:${secret.PW}@${host}')
    expect(server.export.get('PLAIN')).toBe('http://${host}/a@b:c/d')
  })
})

describe('the keys of a fleet file change a server of a preset', () => {
  const preset = `description: d
server:
  build: { packages: [aa], run: [one], environment: { A: "1", B: "2" } }
  command: [run]
  environment: { A: "1", B: "2" }
  limits: { memory: 64m, pids: 9 }
  capDrop: [ALL]
  capAdd: [CHOWN]
  ports: [80]
  ready: [{ exec: [a] }]
`

  test('by key in blocks, by adding to `build`, and as a whole in other lists', async () => {
    const server = await loadServer(
      '{ preset: ./own, build: { packages: [bb], run: [two], environment: { B: "3" } }, environment: { B: "3" }, limits: { memory: 128m }, capAdd: [SETUID], ports: [81], command: [other] }',
      preset,
    )
    expect(imageOf(server)).toMatchObject({
      recipe: {
        steps: {
          packages: ['aa', 'bb'],
          run: ['one', 'two'],
          environment: new Map([
            ['A', '1'],
            ['B', '3'],
          ]),
        },
      },
    })
    expect([...server.environment.values()].map((value) => 'text' in value && value.text)).toEqual(['1', '3'])
    expect(server.limits).toMatchObject({ memoryBytes: 128 * 1024 * 1024, pids: 9 })
    expect(server.capAdd).toEqual(['CHOWN', 'SETUID'])
    expect(server.ports.map(({ container }) => container)).toEqual([80, 81])
    expect(server.command).toEqual(['other'])
    expect(server.ready).toEqual([{ kind: 'exec', command: ['a'] }])
  })

  test.each([
    ['{ preset: ./own, build: { packages: [bb, B!] } }', 'testfleet.yaml:3:47: servers.s.build.packages[1]: '],
    ['{ preset: ./own, limits: { memory: x } }', 'testfleet.yaml:3:41: servers.s.limits.memory: '],
    ['{ preset: ./own, dependsOn: [none] }', 'testfleet.yaml:3:35: servers.s.dependsOn[0]: '],
  ])('%s is reported at its position', async (server, message) => {
    expect(await mistakeOf(server, preset)).toContain(message)
  })

  test("and a mistake in the user's own preset is reported in the file of the preset", async () => {
    expect(await mistakeOf('{ preset: ./own }', preset.replace('[80]', '[80, 0]'))).toContain(
      'own/preset.yaml:9:15: servers.s.ports[1]: ',
    )
    expect(await mistakeOf('{ preset: ./own }', 'description: d\nserver: { image: a }\nmore: 1\n')).toBe(
      'own/preset.yaml:3:1: more: unknown key; known here: description, options, synonyms, configuration, server',
    )
  })
})

describe('an option without any effect is refused', () => {
  const preset = `description: d
options:
  word: { type: text, describe: d }
  on: { type: boolean, describe: d }
  name: { type: text, describe: d }
  password: { type: secret, describe: d }
server:
  image: debian
  command: [run, { option: word }, { if: on, then: --on }]
  environment: { NAME: { option: name }, ON: { if: on, then: "yes" } }
  secrets: { PASSWORD: { option: password } }
  export: { WORD: "\${option.word}" }
`
  test.each([
    'options: { word: a }, command: [own]',
    'options: { on: true }, command: [own]',
    'options: { word: a, on: true, name: b }',
    'options: { name: b }, environment: { OTHER: c }',
    'command: [own], environment: { NAME: c }',
  ])('%s is accepted', async (keys) => {
    expect(await mistakeOf(`{ preset: ./own, ${keys} }`, preset)).toBe('no mistake')
  })

  test.each([
    [
      'options: { word: a }, command: [own], export: { WORD: b }',
      '3:40: servers.s.options.word: does nothing here: `command` and `export.WORD` of the server replace what uses it',
    ],
    [
      'options: { on: true }, command: [own], environment: { ON: "no" }',
      'servers.s.options.on: does nothing here: `command` and `environment.ON` of the server replace what uses it',
    ],
    [
      'options: { name: b }, environment: { NAME: c }',
      'servers.s.options.name: does nothing here: `environment.NAME` of the server replaces what uses it',
    ],
    [
      'options: { password: { generate: 9 } }, secrets: { PASSWORD: { generate: 8 } }',
      'servers.s.options.password: does nothing here: `secrets.PASSWORD` of the server replaces what uses it',
    ],
  ])('%s is refused', async (keys, message) => {
    expect(await mistakeOf(`{ preset: ./own, ${keys} }`, preset)).toContain(message)
  })
})

describe('an override of a file that no server reads is refused', () => {
  const preset = `description: d
options: { extra: { type: path, describe: d } }
configuration: { under: [/etc/web], reads: [/etc/web/types, "/etc/web/more/*.conf"] }
server:
  build:
    copy:
      - { from: files/start, to: /usr/local/bin/start-web }
      - { content: x, to: /etc/web/web.conf }
      - { if: extra, then: { from: { option: extra }, to: /etc/web/extra.conf } }
  command: [start-web]
`
  const files = { 'own/files/start': '', 'a.conf': '', 'folder/types': '', 'folder/more/x.conf': '', 'old/web.cfg': '' }
  const take = (keys: string): Promise<string> => mistakeOf(`{ preset: ./own, ${keys} }`, preset, files)

  test.each([
    'build: { copy: [{ from: a.conf, to: /etc/web/web.conf }] }',
    'build: { copy: [{ from: a.conf, to: /etc/web/more/b.conf }, { content: y, to: /etc/other/b.conf }] }',
    'build: { copy: [{ from: a.conf, to: /etc/web/more/ }] }',
    'build: { copy: [{ from: folder, to: /etc/web }] }',
    'build: { copy: [{ content: y, to: /usr/local/bin/start-web }] }',
    'mounts: [{ from: a.conf, to: /etc/web/types }]',
    // Its own file may include the other, and its own command may call the other.
    'build: { copy: [{ from: a.conf, to: /etc/web/web.conf }, { content: y, to: /etc/web/included }] }',
    'options: { extra: a.conf }, build: { copy: [{ content: y, to: /etc/web/included }] }',
    'command: [start-mine], build: { copy: [{ content: y, to: /usr/local/bin/start-mine }] }',
    'command: [web, -c, /etc/web/old.conf], build: { copy: [{ content: y, to: /etc/web/old.conf }] }',
  ])('%s is accepted', async (keys) => {
    expect(await take(keys)).toBe('no mistake')
  })

  test.each([
    [
      'build: { copy: [{ from: a.conf, to: /etc/web/old.conf }] }',
      '3:59: servers.s.build.copy[0].to',
      '/etc/web/old.conf',
    ],
    ['build: { copy: [{ from: a.conf, to: /etc/web/ }] }', '3:59: servers.s.build.copy[0].to', '/etc/web/a.conf'],
    ['build: { copy: [{ from: old, to: /etc/web }] }', '3:56: servers.s.build.copy[0].to', '/etc/web/web.cfg'],
    ['build: { copy: [{ content: y, to: /etc/web/more/a }] }', '3:57: servers.s.build.copy[0].to', '/etc/web/more/a'],
    ['build: { copy: [{ content: y, to: /etc/web/more/x/a.conf }] }', 'build.copy[0].to', '/etc/web/more/x/a.conf'],
    ['command: [start-web, -v], mounts: [{ from: a.conf, to: /etc/web/old }]', 'mounts[0].to', '/etc/web/old'],
    ['mounts: [{ from: a.conf, to: /etc/web/old.conf }]', '3:52: servers.s.mounts[0].to', '/etc/web/old.conf'],
    ['build: { copy: [{ content: y, to: /usr/local/bin/start-old }] }', 'build.copy[0].to', '/usr/local/bin/start-old'],
  ])('%s is refused', async (keys, place, path) => {
    const message = await take(keys)
    expect(message).toContain(`${place}: the preset ./own does not read ${path}; it reads `)
    expect(message).toContain('/usr/local/bin/start-web, /etc/web/web.conf, /etc/web/extra.conf, /etc/web/types')
  })

  test.each([
    ['{ under: etc }', 'own/preset.yaml:3:25: configuration.under: must be a list, not "etc"'],
    ['{ under: [] }', 'configuration.under: must be at least 1'],
    ['{ under: [etc] }', 'configuration.under[0]: must be an absolute path inside the server, not "etc"'],
    ['{ under: [/a/../b] }', 'configuration.under[0]: must be an absolute path inside the server'],
    ['{ reads: [/a] }', 'configuration.under: is missing'],
    [`{ under: [/${'a'.repeat(200)}] }`, 'configuration.under[0]: '],
  ])('configuration: %s is refused', async (text, message) => {
    expect(await mistakeOf('{ preset: ./own }', preset.replace(/\{ under.*/, text), files)).toContain(message)
  })
})

describe('an invalid name of a preset', () => {
  test.each([
    ['{ preset: reddis }', 'testfleet.yaml:3:16: servers.s.preset: there is no preset "reddis"; did you mean `redis`?'],
    ['{ preset: postgres }', 'there is no preset "postgres"; did you mean `postgresql`?'],
    ['{ preset: SMTP }', 'must be the name of a preset'],
    ['{ preset: smtp }', 'there is no preset "smtp"; did you mean `mail`?'],
    ['{ preset: dns }', 'there is no preset "dns"; did you mean `bind9` or `dnsmasq`?'],
    ['{ preset: ./none }', 'testfleet.yaml:3:16: servers.s.preset: there is no preset.yaml in ./none'],
    ['{ preset: ./../elsewhere }', "servers.s.preset: ./../elsewhere leads out of the fleet's folder"],
    ['{ preset: redis, image: a }', 'needs exactly one of `image`, `build`, `preset`, `process` and `external`'],
    ['{ image: a, options: { a: 1 } }', '`options` goes with `preset`'],
    ['{ preset: /etc }', 'must be the name of a preset, or the folder of one that starts with ./'],
  ])('%s is refused', async (server, message) => {
    expect(await mistakeOf(server, plain)).toContain(message)
  })
})

describe('a pattern of a preset', () => {
  const preset = (pattern: string): string => `description: d
options: { word: { type: text, describe: d, pattern: ${JSON.stringify(pattern)} } }
server: { image: "debian:bookworm-slim", command: [{ option: word }] }
`
  const asked = (word: string): string => `{ preset: ./own, options: { word: ${word} } }`

  for (const pattern of ['(a+)+b', '(.*)*x', '(a|aa)+$b'])
    test(
      `${pattern}, which backtracks endlessly, is reported quickly`,
      pattern === '(a+)+b' ? {} : { tags: ['wide'] },
      async () => {
        let turns = 0
        const beat = setInterval(() => turns++, 20)
        const message = await mistakeOf(asked('a'.repeat(64)), preset(pattern))
        clearInterval(beat)
        expect(message).toContain('testfleet.yaml:3:40: servers.s.options.word: cannot be compared with')
        // Timers and signals were handled in the meantime.
        expect(turns).toBeGreaterThan(5)
      },
    )

  test('is compared with the whole text', async () => {
    expect((await loadServer(asked('abc'), preset('a|abc'))).command).toEqual(['abc'])
    expect(await mistakeOf(asked('xabc'), preset('a|abc'))).toContain('"xabc" does not match a|abc')
  })

  test.each([
    ['[', 'must be a regular expression'],
    ['\\-', 'must be a regular expression'],
    ['a'.repeat(1001), '1000'],
  ])('%s is refused', async (pattern, message) => {
    expect(await mistakeOf(asked('a'), preset(pattern))).toContain(message)
  })
})

describe('a preset', () => {
  test.each(['folder', 'preset.yaml'])(
    'whose %s is a link that leads out of the fleet is refused, and not quoted',
    async (what) => {
      await write({
        'outside/preset.yaml': 'hunter2: 1\n',
        'fleet/own/.keep': '',
        'fleet/testfleet.yaml': 'servers: { s: { preset: ./own } }\n',
      })
      if (what === 'folder') {
        await rm(join(folder, 'fleet/own'), { recursive: true })
        await symlink('../outside', join(folder, 'fleet/own'))
      } else await symlink('../../outside/preset.yaml', join(folder, 'fleet/own/preset.yaml'))
      folder = join(folder, 'fleet')
      const message = await load().then(String, String)
      folder = join(folder, '..')
      expect(message).toMatch(/leads out of (?:the fleet's|its) folder/)
      expect(message).not.toContain('hunter2')
    },
  )
})
