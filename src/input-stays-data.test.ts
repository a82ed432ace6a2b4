import { DockerfileParser, type Instruction, type JSONInstruction } from 'dockerfile-ast'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeObject } from './config/describe-object.ts'
import { explainMistakes } from './config/explain-mistakes.ts'
import { resolveFleet } from './config/load-fleet.ts'
import { renderDockerfile, renderSteps } from './images/render-dockerfile.ts'
import { isFailure } from './model/failures.ts'
import { type Fleet, type ImageRecipe, imageOf, type Server } from './model/fleet.ts'
import type { FleetFile } from './model/fleet-file.ts'
import { describeContainer } from './servers/describe-server.ts'

/** What a Dockerfile, a shell, apt, JSON, YAML or a C string could give a meaning to. */
const hostileParts = [
  ...['\n', '\r', '\r\n', '\t', ' ', '\0', '\u0007', '\u0085', '\u00a0', '\u2028', '\u2029', '\ufeff', '\u200b'],
  ...['\\', '\\\\', '\\\n', '\\ \n', '\\u003c', '\\x41', '`', '`\n', '"', "'", '\\"', '"]', '", "', '[', ']', '["x"]'],
  ...[
    '$',
    '${',
    '${X}',
    '$X',
    '$(id)',
    '${X:-y}',
    '\\$X',
    '%41',
    '{{.}}',
    '<<EOF',
    '<<',
    '<<-"E"\n',
    '<',
    '#',
    '&&',
    ';',
    '|',
  ],
  ...[
    '--from=x',
    '--chown=0',
    '--mount=type=secret',
    '--network=host',
    '--security=insecure',
    '--chmod=777',
    '-o',
    '-',
    '+',
  ],
  ...[
    '# escape=`\n',
    '# syntax=docker/dockerfile:1\n',
    'FROM x\n',
    '\nRUN id',
    ' AS y',
    '\nUSER root\n',
    'ONBUILD ',
    'a-',
    'b+',
    '.*',
  ],
  ...[':', '/', ',', '=', '..', '../', '@', '~', '*', '?', '\ud800', '\udfff', '\u{1f600}', 'ä', 'é', 'x'.repeat(5000)],
]
const plainParts = ['a', 'b', '0', 'A', '_', '.', 'nginx', '/etc', '/', 'www-data', '1.0']
const part = fc.oneof(fc.constantFrom(...hostileParts), fc.constantFrom(...plainParts))
const hostile = fc.oneof(
  fc.array(part, { maxLength: 6 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 20 }),
)
/** Such as a field takes, with something behind or before it that it may not take. */
const near = (...values: readonly string[]) =>
  fc.oneof(
    fc.constantFrom(...values),
    fc.tuple(fc.constantFrom(...values), hostile).map(([value, tail]) => value + tail),
    fc.tuple(hostile, fc.constantFrom(...values)).map(([head, value]) => head + value),
    hostile,
  )
// The same values each time, so that what fails fails again; TESTFLEET_SEED takes others.
const runs = {
  numRuns: Number(process.env.TESTFLEET_PROPERTY_RUNS ?? 150),
  seed: Number(process.env.TESTFLEET_SEED ?? 1),
}

type Build = Record<string, unknown>

/** The fleet of one server; undefined where the schema refuses it, with the field that is wrong. */
function loadServer(declaration: object): { fleet: Fleet; server: Server } | undefined {
  try {
    const document = describeObject({ name: 'n', servers: { s: declaration } }, 'fleet')
    explainMistakes(document, [])
    const surroundings = {
      file: 'fleet',
      realPath: undefined,
      folder: '/fleet',
      presetsFolder: '/nowhere',
      environment: {},
    }
    const fleet = resolveFleet(document.value as FleetFile, document, surroundings)
    const server = fleet.servers.get('s')
    if (server === undefined) throw new Error('the server is not there')
    return { fleet, server }
  } catch (error) {
    if (!isFailure(error, 'FLEET_FILE_INVALID')) throw error
    expect(error.mistakes.length).toBeGreaterThan(0)
    for (const { field, at } of error.mistakes) {
      expect(field === '' ? error.message : field).toContain('servers.s')
      expect(at.file).toBe('fleet')
    }
    return undefined
  }
}

/** The instructions of a build as a parser that is not ours reads them; undefined where the schema refuses it. */
function parseBuild(build: Build, isCaching = false): readonly Instruction[] | undefined {
  const loaded = loadServer({ build })
  if (loaded === undefined) return undefined
  const image = imageOf(loaded.server)
  if (image?.kind !== 'built' || image.recipe.kind !== 'steps' || image.recipe.from.kind !== 'named')
    throw new Error('it has another kind')
  return parseDockerfile(renderRecipe(image.recipe, image.recipe.from.reference, isCaching))
}

type StepsRecipe = Extract<ImageRecipe, { kind: 'steps' }>

function renderRecipe({ steps, at }: StepsRecipe, base: string, isCaching = false): string {
  const step = { title: '', at }
  const copies = steps.copy.map(
    ({ to, owner }) => ({ step, source: { kind: 'content' }, to, owner, modifiedAtS: undefined, entries: [] }) as const,
  )
  const { before, after } = renderSteps(steps, at)
  const lines = (isCaching ? before.cachingLines : undefined) ?? before.lines
  return renderDockerfile({ kind: 'steps', base, from: step, before: { ...before, lines }, after, copies })
}

function parseDockerfile(text: string): readonly Instruction[] {
  const dockerfile = DockerfileParser.parse(text)
  const instructions = dockerfile.getInstructions()
  expect(dockerfile.getDirectives()).toEqual([])
  expect(dockerfile.getComments()).toEqual([])
  expect(dockerfile.getEscapeCharacter()).toBe('\\')
  // Each is one line.
  expect(text.split('\n')).toHaveLength(instructions.length + 1)
  expect(text).not.toMatch(/[\r\0]/)
  for (const instruction of instructions)
    expect(instruction.getRange().start.line).toBe(instruction.getRange().end.line)
  return instructions
}

function keywords(instructions: readonly Instruction[]): string[] {
  return instructions.map((instruction) => instruction.getKeyword())
}

/** The JSON list of a RUN or ADD, which has no other flags. */
function listOf(instruction: Instruction | undefined, flags: readonly string[] = []): string[] {
  const json = instruction as JSONInstruction & { getHeredocs?: () => unknown[] }
  expect(json.getFlags().map(String)).toEqual(flags)
  expect(json.getHeredocs?.() ?? []).toEqual([])
  const content = json.getArgumentsContent() ?? ''
  // What BuildKit looks for before it reads the JSON.
  expect(content).not.toMatch(/<<|[^ -~]/)
  return JSON.parse(content)
}

/** `NAME="value"` or `"NAME"="value"` of ENV. */
function parseEnv(instruction: Instruction): [string, string] {
  const content = instruction.getRawArgumentsContent() ?? ''
  const [, plain, quoted = '', value = ''] =
    /^(?:([A-Za-z_][A-Za-z0-9_]*)|"((?:[^"\\]|\\.)*)")="(.*)"$/su.exec(content) ?? []
  return [plain ?? unescapeQuoted(quoted), unescapeQuoted(value)]
}

/** Between double quotes, a backslash takes the meaning of `"`, `$` and itself. */
function unescapeQuoted(quoted: string): string {
  let text = ''
  for (let index = 0; index < quoted.length; index++) {
    const character = quoted.charAt(index)
    if (character === '$' || character === '"') throw new Error(`a bare ${character} in ${quoted}`)
    if (character !== '\\') text += character
    else if (/["$\\]/.test(quoted.charAt(index + 1))) text += quoted.charAt(++index)
    else throw new Error(`a bare backslash in ${quoted}`)
  }
  return text
}

/** How often a property went all the way; one that is always refused says nothing. */
function countAccepted<T>(arbitrary: fc.Arbitrary<T>, holds: (value: T) => boolean): void {
  let count = 0
  fc.assert(
    fc.property(arbitrary, (value) => void (holds(value) && count++)),
    runs,
  )
  expect(count).toBeGreaterThan(0)
}

describe('in the Dockerfile', () => {
  test('`from` is one argument', () => {
    countAccepted(near('debian:bookworm-slim', 'host:5000/a/b:1', `a@sha256:${'0'.repeat(64)}`), (from) => {
      const instructions = parseBuild({ from, run: ['x'] })
      if (instructions === undefined) return false
      expect(keywords(instructions)).toEqual(['FROM', 'RUN'])
      expect(instructions[0]?.getArguments().map(String)).toEqual([from])
      return true
    })
  })

  test.each([
    ['without a cache', false, []],
    ['with a cache', true, ['--mount=type=cache,id=testfleet-packages,target=/dev/testfleet-packages']],
  ])('packages are arguments that apt-get can only read as packages to install, %s', (_, isCaching, flags) => {
    const name = near('nginx', 'g++', 'libstdc++6', 'python3.11', 'a:amd64', 'nginx=1.22.1-9', 'x=1:2~rc1+b1')
    const [, , usual] = listOf(parseBuild({ packages: ['nginx'] }, isCaching)?.[1], flags)
    countAccepted(fc.array(name, { minLength: 1, maxLength: 3 }), (packages) => {
      const instructions = parseBuild({ packages }, isCaching)
      if (instructions === undefined) return false
      expect(keywords(instructions)).toEqual(['FROM', 'RUN'])
      const [shell, option, script, zero, ...rest] = listOf(instructions[1], flags)
      expect([shell, option, zero]).toEqual(['/bin/sh', '-c', 'install'])
      expect(script).toBe(usual)
      expect(rest).toEqual([...packages].sort())
      for (const word of rest) expect(word).toMatch(/^[a-z0-9][^\s/*?[\]^$]*[^-]$/)
      return true
    })
  })

  test('variables have the given names and values', () => {
    const entry = fc.tuple(near('PATH', 'a_1', 'app-mode', 'a[0].b'), hostile)
    countAccepted(fc.array(entry, { minLength: 1, maxLength: 3 }), (entries) => {
      const environment = Object.fromEntries(entries)
      const instructions = parseBuild({ environment })
      if (instructions === undefined) return false
      expect(keywords(instructions)).toEqual(['FROM', ...Object.keys(environment).map(() => 'ENV')])
      expect(instructions.slice(1).map(parseEnv)).toEqual(Object.entries(environment))
      return true
    })
  })

  test('files to copy are not in its text but in an archive', () => {
    const item = fc.record(
      { content: hostile, to: near('/etc/x', '/a b/c'), owner: near('root', '0:0', 'www-data:adm') },
      { requiredKeys: ['content', 'to'] },
    )
    countAccepted(fc.array(item, { minLength: 1, maxLength: 3 }), (copy) => {
      const instructions = parseBuild({ copy })
      if (instructions === undefined) return false
      expect(keywords(instructions)).toEqual(['FROM', ...copy.map(() => 'ADD')])
      for (const index of copy.keys()) expect(listOf(instructions[index + 1])).toEqual([`copy-${index}.tar`, '/'])
      return true
    })
  })

  test('shell text is one argument of the shell', () => {
    countAccepted(fc.array(hostile, { minLength: 1, maxLength: 3 }), (run) => {
      const instructions = parseBuild({ run })
      if (instructions === undefined) return false
      expect(keywords(instructions)).toEqual(['FROM', ...run.map(() => 'RUN')])
      expect(instructions.slice(1).map((one) => listOf(one))).toEqual(run.map((text) => ['/bin/sh', '-ec', '--', text]))
      return true
    })
  })
})

const settings = {
  session: 'n',
  sessionId: '01234567',
  change: '89abcdef',
  owner: 'me@here',
  network: undefined,
  volumes: new Map<string, string>(),
  bind: 'free',
  defaultAddress: '127.0.0.1',
  engineHost: undefined,
  engineSocket: undefined,
  authority: undefined,
} as const

function specOf(declaration: object) {
  const loaded = loadServer({ image: 'a', ...declaration })
  return loaded && describeContainer(loaded.server, loaded.fleet, 'a', settings, 'd')
}

describe('in requests to the engine', () => {
  test.each(['command', 'entrypoint'] as const)('the arguments of `%s` are unchanged', (key) => {
    countAccepted(fc.array(hostile, { minLength: 1, maxLength: 4 }), (words) => {
      const spec = specOf({ [key]: words })
      if (spec === undefined) return false
      expect(spec[key]).toEqual(words)
      expect(Buffer.from(JSON.stringify(spec[key])).toString()).toBe(JSON.stringify(words))
      return !words.join('').includes('\0')
    })
  })

  test('variables are unchanged, and contain no NUL', () => {
    countAccepted(
      fc.dictionary(near('A', 'discovery.type'), hostile, { minKeys: 1, maxKeys: 3, noNullPrototype: true }),
      (environment) => {
        const spec = specOf({ environment })
        if (spec === undefined) return false
        expect(spec.environment).toEqual(environment)
        for (const [name, value] of Object.entries(spec.environment)) {
          expect(name).toMatch(/^[^=\0]+$/u)
          expect(value).not.toContain('\0')
        }
        return true
      },
    )
  })

  test('labels are unchanged, and cannot replace labels of testfleet', () => {
    const key = near('a', 'org.example/x', 'dev.testfleet.session', 'dev.testfleet.lease')
    countAccepted(fc.dictionary(key, hostile, { minKeys: 1, maxKeys: 3, noNullPrototype: true }), (labels) => {
      const spec = specOf({ labels })
      if (spec === undefined) return false
      expect(spec.labels).toMatchObject(labels)
      expect(Object.keys(labels).some((name) => name.startsWith('dev.testfleet.'))).toBe(false)
      expect(spec.labels['dev.testfleet.session']).toBe('01234567')
      return true
    })
  })

  const keys: [string, fc.Arbitrary<unknown>, RegExp][] = [
    ['user', near('root', '0:0', 'a.b:c'), /^"\w[\w.-]*(?::\w[\w.-]*)?"$/],
    ['stopSignal', near('SIGTERM', 'SIGRTMIN+3'), /^"SIG[A-Z0-9+-]+"$/],
    ['platform', near('linux/amd64', 'linux/arm/v7'), /^"[a-z0-9_/]+"$/],
    ['workingDir', near('/', '/srv/a b'), /^"\/(?!.*(?:\/|^)\.\.(?:\/|$))/],
    ['capAdd', fc.array(near('NET_ADMIN', 'CAP_SYS_PTRACE'), { maxLength: 2 }), /^\[(?:"[A-Z_]+",?)*\]$/],
    [
      'aliases',
      fc.array(near('a', 'b.c'), { maxLength: 2 }),
      /^\{"name":"n-01234567","aliases":\[(?:"[\w.-]+",?)*\]\}$/,
    ],
    [
      'sysctls',
      fc.dictionary(near('net.core.somaxconn'), hostile, { maxKeys: 2, noNullPrototype: true }),
      /^(?!.*\\u0000)\{/,
    ],
    [
      'extraHosts',
      fc.dictionary(near('a.b'), near('1.2.3.4', '::1', 'host-gateway'), { maxKeys: 2, noNullPrototype: true }),
      /^\{(?:"[A-Za-z0-9._-]+":"(?:[0-9a-fA-F.:]+|host-gateway)",?)*\}$/,
    ],
    [
      'ulimits',
      fc.dictionary(near('nofile'), fc.oneof(fc.integer(), fc.double()), { maxKeys: 2, noNullPrototype: true }),
      /^\{(?:"[a-z]+":\{"soft":-?\d+,"hard":-?\d+\},?)*\}$/,
    ],
    [
      'mounts',
      fc.array(fc.record({ volume: near('data'), to: near('/data', '/a:b,c=d') }), { maxLength: 2 }),
      /^\[(?:\{"kind":"volume","volume":"n-[a-z0-9-]+","to":"\/(?:[^"\\]|\\.)*","writable":false\},?)*\]$/,
    ],
    [
      'tmpfs',
      fc.array(
        fc.record({
          to: near('/t', '/a:b,c'),
          size: fc.oneof(fc.constantFrom('1m', '9t'), near('1m', '0', '1e5'), fc.double()),
          mode: fc.oneof(fc.constant('1777'), near('0644')),
          uid: fc.oneof(fc.nat(), fc.integer(), fc.double()),
          gid: fc.nat(),
        }),
        { maxLength: 1 },
      ),
      /^\[(?:\{"to":"(?:[^"\\]|\\.)*","sizeBytes":\d+,"mode":\d+,"uid":\d+,"gid":\d+\},?)*\]$/,
    ],
    [
      'limits',
      fc.record({
        memory: fc.oneof(fc.constantFrom('1m', '1.5gb'), near('1m', '0m', '99999999999t'), fc.double()),
        cpus: fc.oneof(fc.double(), fc.double({ min: 0, max: 100 })),
        pids: fc.oneof(fc.nat(), fc.integer()),
      }),
      /^\{"memoryBytes":[1-9]\d*,"cpus":(?:0\.0[1-9]|0\.[1-9]|[1-9])\d*(?:\.\d+)?,"pids":[1-9]\d*\}$/,
    ],
  ]

  test.each(keys)('`%s` always has a valid form', (key, value, form) => {
    countAccepted(value, (one) => {
      const spec = specOf({ [key]: one }) as Record<string, unknown> | undefined
      if (spec === undefined) return false
      expect(JSON.stringify(spec[key === 'aliases' ? 'network' : key])).toMatch(form)
      return true
    })
  })

  test('ports are numbers with an address', () => {
    const port = fc.oneof(
      near('80/tcp', '53/udp'),
      fc.record({
        container: fc.oneof(fc.integer(), fc.double()),
        address: near('0.0.0.0', '::', 'fe80::1'),
        protocol: near('tcp'),
      }),
    )
    countAccepted(fc.array(port, { minLength: 1, maxLength: 3 }), (ports) => {
      const spec = specOf({ ports, ready: [{ healthcheck: true }] })
      for (const { container, protocol, address } of spec?.ports ?? []) {
        expect(Number.isInteger(container) && container >= 1 && container <= 65535).toBe(true)
        expect(protocol).toMatch(/^(?:tcp|udp|sctp)$/)
        expect(address).toMatch(/^[0-9a-fA-F.:]+$/)
      }
      return spec !== undefined
    })
  })
})

describe('input that random tests found is refused', () => {
  test.each(['nginx-', 'grep:amd64-', 'grep=3.8-5-', 'grep=3.8-5+'])(
    'a package name that apt-get would read as a removal or another package: %s',
    (name) => {
      expect(parseBuild({ packages: [name] })).toBeUndefined()
    },
  )

  test.each([
    'g++',
    'libstdc++-12-dev',
    'memtest86+',
    'python3.11',
    'libc6:i386',
    'nginx=1.22.1-9+deb12u1',
    'aa=1:2~rc1',
  ])('unlike the package name %s, which is valid', (name) => {
    expect(parseBuild({ packages: [name] })).toHaveLength(2)
  })

  test('half of a surrogate pair', () => {
    const half = 'a\ud800b'
    for (const build of [
      { run: [half] },
      { environment: { A: half } },
      { copy: [{ content: half, to: '/x' }] },
      { copy: [{ content: '', to: `/${half}` }] },
    ])
      expect(parseBuild(build)).toBeUndefined()
    for (const keys of [
      { command: [half] },
      { environment: { A: half } },
      { labels: { a: half } },
      { workingDir: `/${half}` },
    ])
      expect(specOf(keys)).toBeUndefined()
  })

  test('a variable with a NUL', () => {
    expect(specOf({ environment: { A: 'a\0b' } })).toBeUndefined()
  })

  test.each([{ memory: '0m' }, { memory: '0.1b' }, { memory: '99999999999t' }, { cpus: 1e300 }, { cpus: 1e-10 }])(
    'the limit %j, which an engine would read as no limit',
    (limits) => {
      expect(specOf({ limits })).toBeUndefined()
    },
  )

  test.each([1e10, '1000h', '0s', 0.0001])('the time %s, which no timer can wait for', (readyTimeout) => {
    expect(specOf({ readyTimeout })).toBeUndefined()
  })

  test('a character of two bytes in `send` of a tcp check', () => {
    expect(specOf({ ready: [{ tcp: { port: 1, send: '\u0141' } }] })).toBeUndefined()
    expect(specOf({ ready: [{ tcp: { port: 1, send: 'é\0' } }] })).toBeDefined()
  })

  test('the key __proto__', () => {
    const environment = JSON.parse('{ "__proto__": "x" }')
    expect(() => describeObject({ environment }, 'fleet')).toThrow('environment.__proto__ cannot be a key')
  })
})
