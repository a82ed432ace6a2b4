import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Writes `hostile/generated.jsonl`: fleet files that must all be refused, one a line. `node tests/corpus/make-hostile.ts`
 * gives the same bytes every time.
 */

export interface HostileFile {
  readonly name: string
  readonly file: 'testfleet.yaml' | 'testfleet.json'
  readonly pieces: readonly Piece[]
}

/** `base64` stands for bytes that are no text; a `%` in what is repeated becomes the number of the time. */
type Piece = { readonly text: string; readonly times?: number } | { readonly base64: string }

const folder = join(import.meta.dirname, 'hostile')

/** The bytes of a file of the corpus. */
export function contentOf({ pieces }: HostileFile): Uint8Array {
  return Buffer.concat(
    pieces.map((piece) => {
      if ('base64' in piece) return Buffer.from(piece.base64, 'base64')
      if (piece.times === undefined) return Buffer.from(piece.text)
      return Buffer.from(
        Array.from({ length: piece.times }, (_, index) => piece.text.replaceAll('%', `${index}`)).join(''),
      )
    }),
  )
}

type Kind = 'text' | 'number' | 'boolean' | 'list' | 'block'

/** What is right for each key; `s` is a server, `b` the build of one. */
const kinds: Readonly<Record<string, readonly Kind[]>> = {
  name: ['text'],
  domain: ['text'],
  servers: ['block'],
  base: ['block'],
  'base.from': ['text'],
  'base.packages': ['list'],
  'base.copy': ['list'],
  'base.run': ['list'],
  'base.environment': ['block'],
  s: ['block'],
  's.image': ['text'],
  's.command': ['list'],
  's.command.0': ['text'],
  's.entrypoint': ['list'],
  's.user': ['text', 'number'],
  's.workingDir': ['text'],
  's.environment': ['block'],
  's.environment.A': ['text', 'number', 'boolean', 'block'],
  's.labels': ['block'],
  's.labels.a': ['text', 'number', 'boolean'],
  's.init': ['boolean'],
  's.stopSignal': ['text'],
  's.stopGracePeriod': ['text', 'number'],
  's.platform': ['text'],
  's.secrets': ['block'],
  's.secrets.S': ['block'],
  's.ports': ['list'],
  's.ports.0': ['text', 'number', 'block'],
  's.aliases': ['list'],
  's.aliases.0': ['text'],
  's.extraHosts': ['block'],
  's.extraHosts.h': ['text'],
  's.dependsOn': ['list'],
  's.dependsOn.0': ['text'],
  's.ready': ['list'],
  's.ready.0': ['block'],
  's.ready.0.tcp': ['number', 'block'],
  's.ready.0.http': ['block'],
  's.ready.0.exec': ['list'],
  's.ready.0.log': ['text', 'block'],
  's.ready.0.healthcheck': ['boolean'],
  's.ready.0.exit': ['number'],
  's.readyTimeout': ['text', 'number'],
  's.mounts': ['list'],
  's.mounts.0': ['block'],
  's.tmpfs': ['list'],
  's.tmpfs.0': ['text', 'block'],
  's.readOnly': ['boolean'],
  's.limits': ['block'],
  's.limits.memory': ['text', 'number'],
  's.limits.cpus': ['number'],
  's.limits.pids': ['number'],
  's.capAdd': ['list'],
  's.capAdd.0': ['text'],
  's.sysctls': ['block'],
  's.sysctls.k': ['text', 'number'],
  's.ulimits': ['block'],
  's.ulimits.nofile': ['number', 'block'],
  's.export': ['block'],
  's.export.V': ['text'],
  b: ['block'],
  'b.from': ['text'],
  'b.packages': ['list'],
  'b.packages.0': ['text'],
  'b.copy': ['list'],
  'b.copy.0': ['block'],
  'b.run': ['list'],
  'b.run.0': ['text'],
  'b.environment': ['block'],
  'b.environment.A': ['text', 'number', 'boolean'],
  'b.dockerfile': ['text'],
}

const values: Readonly<Record<Kind, readonly unknown[]>> = {
  text: ['x', ''],
  number: [7, -1.5],
  boolean: [true],
  list: [[], [[[]]]],
  block: [{}, { constructor: { prototype: 1 } }],
}

/** Keys whose text has a grammar: none of these texts is of any of them. */
const grammars = [
  ...['name', 'domain', 'base.from', 's.image', 's.user', 's.workingDir', 's.stopSignal', 's.platform', 's.ports.0'],
  ...['s.aliases.0', 's.extraHosts.h', 's.dependsOn.0', 's.readyTimeout', 's.tmpfs.0', 's.limits.memory', 's.capAdd.0'],
  ...[
    'b.from',
    'b.packages.0',
    'b.copy.0.to',
    'b.copy.0.mode',
    'b.copy.0.owner',
    's.mounts.0.to',
    's.ready.0.http.path',
  ],
]

const hostileTexts = [
  ...[
    '\n',
    'a\nRUN id',
    'a\r',
    'a\0b',
    '\u2028',
    '$(id)',
    '`id`',
    '${HOME}',
    '--privileged',
    '-',
    '<<EOF',
    '"]',
    '../..',
  ],
  ...['# escape=`\n', '{{.}}', '%00', 'a b', ' ', '\ufeffa', '\u202e', 'ä', '\u{1f600}', 'a;b', "'"],
]

/** Keys that take any text: these are none. */
const freeTexts = ['s.command.0', 's.environment.A', 's.export.V', 'b.run.0', 's.sysctls.k']

/** Puts the value at the path, in a fleet that has nothing wrong but that. */
function fleetWith(path: string, value: unknown): object {
  const [top = '', ...rest] = path.split('.')
  const server = top === 's' || top === 'b'
  const start = server ? ['servers', 'web', ...(top === 'b' ? ['build'] : []), ...rest] : [top, ...rest]
  const fleet: Record<string, unknown> = { servers: { web: top === 'b' ? { build: {} } : { image: 'a' } } }
  // biome-ignore lint/suspicious/noExplicitAny: a walk through what is not typed
  let place: any = fleet
  start.slice(0, -1).forEach((key, index) => {
    place[key] ??= /^\d+$/.test(start[index + 1] ?? '') ? [] : {}
    place = place[key]
  })
  place[start.at(-1) ?? ''] = value
  if (path.startsWith('b.copy.0.') && path !== 'b.copy.0.to') place.to = '/x'
  if (path.startsWith('b.copy.0.')) place.content = ''
  if (path.startsWith('s.mounts.0.')) place.volume = 'v'
  if (path.startsWith('s.ready.0.http.')) place.port = 1
  return fleet
}

function plain(name: string, fleet: object): HostileFile {
  const isYaml = name.length % 2 === 0
  return isYaml
    ? { name, file: 'testfleet.yaml', pieces: [{ text: JSON.stringify(fleet) }] }
    : { name, file: 'testfleet.json', pieces: [{ text: JSON.stringify(fleet, null, 1) }] }
}

function* wrongTypes(): Generator<HostileFile> {
  for (const [path, right] of Object.entries(kinds)) {
    yield plain(`${path} is null`, fleetWith(path, null))
    for (const kind of Object.keys(values) as Kind[]) {
      if (right.includes(kind)) continue
      for (const [index, value] of values[kind].entries())
        yield plain(`${path} is ${kind} ${index}`, fleetWith(path, value))
    }
  }
}

function* hostileStrings(): Generator<HostileFile> {
  for (const path of grammars)
    for (const [index, text] of hostileTexts.entries()) {
      const isPath = ['s.workingDir', 's.tmpfs.0', 'b.copy.0.to', 's.mounts.0.to', 's.ready.0.http.path'].includes(path)
      yield plain(`${path} is hostile ${index}`, fleetWith(path, text))
      if (isPath && /[\n\r\0\u2028]/.test(text))
        yield plain(`${path} is a path and hostile ${index}`, fleetWith(path, `/a${text}`))
    }
  for (const path of freeTexts)
    for (const [index, text] of ['a\0b', '\ud800', 'x\udc00y'].entries())
      yield plain(`${path} is no text ${index}`, fleetWith(path, text))
}

/** What a process takes as the name of a variable, and an engine as that of a label. */
const freeKeys: Readonly<Record<string, readonly string[]>> = {
  's.environment': ['a\nb', '$(id)', 'a b', '../a', 'ä'],
  's.labels': ['$(id)', 'a b', '../a', 'ä'],
}

function* hostileKeys(): Generator<HostileFile> {
  for (const path of [
    's.environment',
    's.labels',
    's.secrets',
    's.extraHosts',
    's.sysctls',
    's.ulimits',
    's.export',
    'servers',
    's',
    'b',
  ])
    for (const [index, key] of ['a\nb', '', '$(id)', 'a b', '../a', '\ud800', '=', 'ä', 'a\0b', 'a=b'].entries()) {
      if (freeKeys[path]?.includes(key)) continue
      yield plain(
        `a key of ${path} is hostile ${index}`,
        fleetWith(path, { [key]: path === 's.secrets' ? { generate: 8 } : 'x' }),
      )
    }
}

/** Many, deep, or long: near the limits of what is read, and far beyond. */
const large: readonly (readonly [name: string, ...pieces: readonly (string | readonly [string, number])[]])[] = [
  ['thousands of servers', 'servers:\n', ['  s%: { image: a }\n', 20_000]],
  ['servers with a mistake each', 'servers:\n', ['  s%: { imag: a }\n', 1_500]],
  ['servers with a wrong name each', 'servers:\n', ['  S_%: { }\n', 3_100]],
  ['a chain that ends in nothing', 'servers:\n', ['  s%: { image: a, dependsOn: [s%0] }\n', 1_300]],
  [
    'names that are nearly right',
    'servers:\n',
    ['  server-number-%: { image: a, dependsOn: [servre-numbre-%] }\n', 1_300],
  ],
  ['thousands of ports', 'servers:\n  a: { image: a, ports: [', ['%,', 400_000], '] }\n'],
  ['a port again and again', 'servers:\n  a: { image: a, ports: [', ['80,', 12_300], '] }\n'],
  ['wrong ports', 'servers:\n  a: { image: a, ports: [', ['0,', 12_300], '] }\n'],
  [
    'a port of this machine for all',
    'servers:\n  a: { image: a, ports: [',
    ['{ container: 1%, host: 80 },', 1_400],
    '] }\n',
  ],
  ['variables of a wrong name', 'servers:\n  a:\n    image: a\n    environment:\n', ['      V=%: x\n', 4_500]],
  ['keys that nobody knows', ['key%: 1\n', 4_500]],
  ['one key again and again', ['name: a\n', 5_200]],
  ['anchors, each used once', 'a:\n', [' - &a% 1\n - *a%\n', 1_900]],
  ['an anchor used thousands of times', 'a: &a 1\nb: [', ['*a,', 15_000], ']\n'],
  ['lists in lists', 'a: ', ['[', 90], [']', 90]],
  ['lists in thousands of lists', 'a: ', ['[', 100_000]],
  ['blocks in thousands of blocks', ['{a: ', 50_000]],
  ['dashes in a line', ['- ', 10_000]],
  ['question marks in a line', ['? ', 10_000]],
  ['tags on tags', ['!a ', 15_000]],
  ['tabs', ['\ta\n', 250_000]],
  ['quotes', ['"\n', 15_000]],
  ['documents', ['---\n', 15_000]],
  ['directives', ['%a\n', 15_000]],
  ['comments', ['#\n', 500_000]],
  ['colons', ['a: b: c\n', 5000]],
  ['a name of a megabyte', 'name: ', ['x', 1_000_000]],
  ['a quoted name of a megabyte', 'name: "', ['\\u0041', 170_000], '"\n'],
  ['a folded name', 'name: >\n', ['  x\n\n', 150_000]],
  ['a key of a megabyte', ['x', 1_000_000], ': 1\n'],
  ['an image of a megabyte', 'servers: { a: { image: ', ['a-', 500_000], ' } }\n'],
  ['an image of dots', 'servers: { a: { image: ', ['a.', 200_000], '! } }\n'],
  ['a host name of a megabyte', 'domain: ', ['a.', 500_000], '\n'],
  ['a package of pluses', 'servers: { a: { build: { packages: [a', ['+', 500_000], '-] } } }\n'],
  ['two megabytes', ['# comment\n', 210_000]],
  ['two megabytes of NUL', ['\0', 2_100_000]],
  ['what is exported is unknown', 'servers: { a: { image: a, export: { A: "', ['${x%}', 100_000], '" } } }\n'],
  ['files that are not there', 'servers:\n  a: { build: { copy: [', ['{ from: f%, to: /x% },', 1_400], '] } }\n'],
  ['mounts at one path', 'servers:\n  a: { image: a, mounts: [', ['{ volume: v, to: /x },', 1_400], '] }\n'],
  ['patterns that are none', 'servers:\n  a: { image: a, ready: [', ['{ log: { pattern: "(%" } },', 1_200], '] }\n'],
  ['a pattern of brackets', 'servers: { a: { image: a, ready: [{ log: { pattern: "', ['(', 400_000], '" } }] } }\n'],
  [
    'a circle of a thousand',
    'servers:\n',
    ['  s%: { image: a, dependsOn: [s%9] }\n', 1000],
    '  s: { image: a, dependsOn: [t] }\n  t: { image: a, dependsOn: [s] }\n',
  ],
  [
    'everybody depends on everybody',
    'servers: {',
    ['a%: &a { image: a, dependsOn: [a0,a1,a2,a3,a4,a5,a6,a7,a8,a9,b] },', 300],
    '}\n',
  ],
]

function* largeFiles(): Generator<HostileFile> {
  for (const [name, ...pieces] of large) {
    yield {
      name,
      file: 'testfleet.yaml',
      pieces: pieces.map((piece) =>
        typeof piece === 'string' ? { text: piece } : { text: piece[0], times: piece[1] },
      ),
    }
  }
}

/** Numbers that follow from a seed (the generator of Park and Miller). */
function* numbersFrom(seed: number): Generator<number> {
  for (let value = seed; ; ) {
    value = (value * 48_271) % 2_147_483_647
    yield value
  }
}

/** A good file, in which bytes are changed for others that no text in UTF-8 has, and for NUL. */
function* brokenBytes(): Generator<HostileFile> {
  const good = Buffer.from('name: web\nservers:\n  web:\n    image: debian:bookworm-slim\n    ports: [80]\n')
  const numbers = numbersFrom(20_240_601)
  for (let index = 0; index < 40; index++) {
    const bytes = Buffer.from(good)
    const at = (numbers.next().value ?? 0) % bytes.length
    bytes[at] = [0xff, 0xfe, 0xc0, 0x80, 0xf5][index % 5] ?? 0xff
    yield { name: `broken bytes ${index}`, file: 'testfleet.yaml', pieces: [{ base64: bytes.toString('base64') }] }
  }
}

function* all(): Generator<HostileFile> {
  yield* wrongTypes()
  yield* hostileStrings()
  yield* hostileKeys()
  yield* largeFiles()
  yield* brokenBytes()
}

/** The text of `generated.jsonl`. */
export function generate(): string {
  return [...all()].map((file) => `${JSON.stringify(file)}\n`).join('')
}

if (import.meta.main) writeFileSync(join(folder, 'generated.jsonl'), generate())
