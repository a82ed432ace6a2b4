import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { describeObject } from '../../src/config/describe-object.ts'
import { expandPresets } from '../../src/config/expand-presets.ts'
import { listPresetNames } from '../../src/config/read-preset.ts'
import { parseYaml } from '../../src/config/read-yaml.ts'
import { currentHost } from '../../src/current-host.ts'
import { isFailure } from '../../src/model/failures.ts'
import { fleetFileSchema } from '../../src/model/fleet-file.ts'
import { listHostile } from '../../tests/support/hostile-files.ts'
import { propertyRuns, someOf } from '../../tests/support/property-runs.ts'
import { root } from '../run.ts'
import { renderValidator } from './validator.ts'

const model = join(root, 'src/model')
const formats = join(root, 'src/formats')
let folder: string
let isFleetFile: (value: unknown) => boolean

beforeAll(async () => {
  await mkdir(join(root, 'node_modules/.cache'), { recursive: true })
  folder = await mkdtemp(join(root, 'node_modules/.cache/testfleet-validator-'))
  const program = renderValidator(fleetFileSchema, 'isFleetFile', {
    rules: join(model, 'fleet-file-rules.ts'),
    grammar: join(formats, 'grammar.ts'),
    pathRules: join(formats, 'paths.ts'),
  })
  await writeFile(join(folder, 'validator.mjs'), program)
  isFleetFile = (await import(pathToFileURL(join(folder, 'validator.mjs')).href)).isFleetFile
})
afterAll(() => rm(folder, { recursive: true }))

const MOST_BYTES = 10_000

const asZod = (value: unknown): boolean => fleetFileSchema.safeParse(value).success

/**
 * Every preset without options, and servers with all other keys: together, everything that a fleet file can contain.
 */
async function listValid(): Promise<readonly object[]> {
  const { presetsFolder } = currentHost()
  const presets = (await listPresetNames(presetsFolder)).map((preset) => ({ servers: { one: { preset } } }))
  const expanded = presets.map(async (fleet) => {
    const folders = { builtIn: presetsFolder, fleet: presetsFolder }
    return (await expandPresets(describeObject(fleet, 'fleet'), folders)).document.value as object
  })
  return [...presets, ...(await Promise.all(expanded)), everything]
}

const everything = {
  $schema: 's',
  name: 'n',
  domain: 'n.test',
  base: { from: 'debian:bookworm-slim', packages: ['curl'], environment: { A: 1 }, copy: [{ content: 'x', to: '/x' }] },
  servers: {
    a: {
      build: { dockerfile: 'Dockerfile', context: '.', outside: true, target: 'a', args: { A: 'b' } },
      environment: { A: true, B: { env: 'HOME' }, C: { secret: 's' }, D: 'text' },
      labels: { a: 1, b: 'c' },
      secrets: { s: { file: 'f', outside: true }, t: { env: 'T' }, u: { generate: 8 } },
      tls: { certificate: 'expired', names: ['::1', '127.0.0.1', '*.n.test'], owner: 'www-data' },
      ports: [80, '53/udp', { container: 1, host: 2, protocol: 'sctp', address: '::' }],
      aliases: ['a.b'],
      extraHosts: { b: '10.0.0.1', c: 'fe80::1', d: 'host-gateway' },
      dependsOn: ['b'],
      ready: [
        { tcp: { port: 1, send: 'a', expect: 'b' } },
        { http: { port: 1, path: '/', status: [200], headers: { a: 'b' }, body: 'c' } },
        { log: { pattern: 'a+' } },
        { amqp: { port: 1, user: 'a', password: { secret: 's' }, vhost: '/' } },
        { httpProxy: { port: 1, to: 'a:1' } },
        { postgres: { port: 1, user: 'a', password: { secret: 's' }, database: 'd' } },
        { healthcheck: true },
      ],
      readyTimeout: '2m',
      mounts: [
        { from: 'x', to: '/x', outside: true },
        { volume: 'v', to: '/v', writable: true },
      ],
      tmpfs: ['/t', { to: '/u', size: '64m', mode: '1777', uid: 0, gid: 0 }],
      limits: { memory: 6_291_456, cpus: 0.5, pids: 3 },
      unsafe: { privileged: true, engineSocket: false, newPrivileges: false },
      sysctls: { 'net.a': 1 },
      ulimits: { nofile: -1, core: { soft: 0, hard: 1 } },
      ignore: [{ id: 'runs-as-root', reason: 'it is a test of it' }],
    },
    b: { preset: './own', options: { a: ['x'], b: { c: { generate: 8 } } }, readyTimeout: 5, user: 0 },
    c: { image: 'a:1', ready: [{ exit: 0 }], platform: 'linux/amd64', stopSignal: 'SIGTERM', init: true },
  },
}

type Path = readonly (string | number)[]

function listPaths(value: unknown, path: Path = []): Path[] {
  if (typeof value !== 'object' || value === null) return [path]
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value)
  return [path, ...entries.flatMap(([key, member]) => listPaths(member, [...path, key]))]
}

const at = (value: unknown, path: Path): unknown =>
  path.reduce<unknown>((member, key) => (member as Record<string | number, unknown>)[key], value)

type Change = 'replace' | 'remove' | 'add' | 'rename'

/** Returns a copy with one change at the path. */
function change(value: object, path: Path, kind: Change, replacement: unknown, key: string): unknown {
  const copy = structuredClone(value)
  const last = path.at(-1)
  if (last === undefined) return replacement
  const parent = at(copy, path.slice(0, -1)) as Record<string | number, unknown>
  if (kind === 'add') parent[Array.isArray(parent) ? parent.length : key] = replacement
  else if (kind === 'replace' || Array.isArray(parent)) parent[last] = replacement
  else {
    if (kind === 'rename') parent[key] = parent[last]
    delete parent[last]
  }
  return copy
}

const strange = [
  null,
  '',
  0,
  -1,
  0.5,
  1e300,
  true,
  [],
  {},
  [[]],
  { a: {} },
  '\ud800',
  'a\0b',
  'a\nb',
  '/',
  '../..',
  '1:2::3',
]

describe('the generated validator', () => {
  test('agrees with the schema about files of the hostile corpus', async () => {
    const differing: string[] = []
    for (const { name, content } of someOf(await listHostile())) {
      const bytes = await content()
      // Large files only test the size limit, and take the schema seconds.
      if (bytes.length > MOST_BYTES) continue
      let value: unknown
      try {
        value = parseYaml(Buffer.from(bytes).toString(), name).value
      } catch (error) {
        if (!isFailure(error, 'FLEET_FILE_INVALID')) throw error
        continue
      }
      if (isFleetFile(value) !== asZod(value)) differing.push(name)
    }
    expect(differing).toEqual([])
  }, 60_000)

  test('agrees with the schema about every preset, and about every single change of one', async () => {
    const valid = await listValid()
    expect(valid.filter((value) => !isFleetFile(value) || !asZod(value))).toEqual([])
    const paths = valid.map((value) => listPaths(value))
    const values = valid.flatMap((value, index) => (paths[index] ?? []).map((path) => at(value, path)))
    const keys = [...new Set(paths.flat(2).filter((key) => typeof key === 'string'))]
    let accepted = 0
    let refused = 0
    const numRuns = 20 * propertyRuns(150)
    fc.assert(
      fc.property(
        fc.nat(valid.length - 1),
        fc.nat(),
        fc.constantFrom<Change>('replace', 'remove', 'add', 'rename'),
        fc.oneof(fc.constantFrom(...values), fc.constantFrom(...strange), fc.string(), fc.integer(), fc.ipV6()),
        fc.oneof(fc.constantFrom(...keys), fc.string()),
        (index, step, kind, replacement, key) => {
          const path = paths[index]?.[step % paths[index].length] ?? []
          const changed = change(valid[index] ?? {}, path, kind, replacement, key)
          const accepts = asZod(changed)
          if (accepts) accepted++
          else refused++
          return isFleetFile(changed) === accepts
        },
      ),
      { numRuns, seed: Number(process.env.TESTFLEET_SEED ?? 1) },
    )
    expect(Math.min(accepted, refused)).toBeGreaterThan(numRuns / 20)
  }, 60_000)

  test.each([
    ['a refinement without a name', z.string().refine((text) => text === 'a'), /has no name in the model/],
    ['an object that accepts other keys', z.object({}), /not strict/],
    ['an unknown type', z.date(), /no code for the type date/],
    ['an unknown check', z.number().multipleOf(2), /no code for the check multiple_of/],
  ])('is not generated for %s', (_, schema, message) => {
    expect(() => renderValidator(schema, 'is', { rules: '', grammar: '', pathRules: '' })).toThrow(message)
  })
})
