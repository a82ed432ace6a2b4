import { describe, expect, test } from 'vitest'
import { loadText } from '../../tests/support/load-text.ts'
import type { Engine } from '../engine/engine.ts'
import type { BakeParts } from '../model/bake.ts'
import { label } from '../model/labels.ts'
import type { PreparedBake, PreparedImage } from '../model/plan.ts'
import { describeDifference, leadsToBake, prepareBakes, withBakeSources } from './prepare-bakes.ts'
import { bakeFleet } from './throw-away.ts'

const text = `
name: fleet
servers:
  cache: { image: cache:1 }
  db:
    image: db:1
    dependsOn: [cache]
    secrets: { KEY: { generate: 9 } }
    bake: { run: [[seed]], readsSecrets: true }
    postStart: [[greet]]
    ports: [5432]
  web: { image: web:1, dependsOn: [db] }
`

interface Given {
  readonly changes?: readonly (readonly [string, string])[]
  readonly identity?: (server: string) => string
  readonly mounts?: Readonly<Record<string, string>>
  readonly isPresent?: boolean
  /** Parts of the baked image that the engine has. */
  readonly known?: BakeParts
}

async function bake({ changes = [], identity = String, mounts = {}, isPresent = true, known }: Given = {}) {
  const fleet = await loadText(changes.reduce((all, [from, to]) => all.replace(from, to), text))
  const servers = [...fleet.servers.values()]
  const images = servers.map(({ name }): [string, PreparedImage] => {
    const desired = { kind: 'named', reference: `${name}:1`, platform: undefined, isPresent } as const
    return [name, { desired, identity: identity(name) }]
  })
  const old = { id: 'old', references: ['testfleet/fleet-db/baked:0'], labels: { [label.bake]: JSON.stringify(known) } }
  const engine = {
    inspectImage: async (reference: string) => (reference.endsWith(':0') ? { namedAtMs: 1 } : undefined),
    listImages: async () => (known === undefined ? [] : [old]),
  } as unknown as Engine
  const sources = { fleet, images: new Map(images), mounts: new Map([['db', mounts]]) }
  const prepared = await prepareBakes(servers, sources, engine, { inUse: new Set() })
  const desired = prepared.get('db')?.desired
  if (desired?.kind !== 'baked') throw new Error('db is not baked')
  return desired.bake
}

const withoutTag = ({ reference }: PreparedBake): string => reference.replace(/:[0-9a-f]{16}$/, ':TAG')

describe('the name of a baked image', () => {
  test('is the same for the same fleet file', async () => {
    const [one, other] = [await bake(), await bake()]
    expect(withoutTag(one)).toBe('testfleet/fleet-db/baked:TAG')
    expect(other.reference).toBe(one.reference)
    expect(one.reason).toBe('not baked yet')
  })

  test('does not depend on ports of this machine, nor on commands that run at every start', async () => {
    const one = await bake()
    const fixed = await bake({ changes: [['5432', '{ container: 5432, host: 5432 }']] })
    expect(fixed.reference).toBe(one.reference)
    expect((await bake({ changes: [['[greet]', '[hello]']] })).reference).toBe(one.reference)
  })

  test.each<readonly [string, Given]>([
    ['commands', { changes: [['[seed]', '[seed, more]']] }],
    ['configuration', { changes: [['ports: [5432]', 'environment: { A: b }']] }],
    ['configuration', { changes: [['generate: 9', 'generate: 10']] }],
    ['image', { identity: (server) => (server === 'db' ? 'another' : server) }],
    ['mounted files', { mounts: { 'seed.sql': '1' } }],
    ['server cache', { identity: (server) => (server === 'cache' ? 'another' : server) }],
    ['server cache', { changes: [['image: cache:1', 'image: cache:1, postStart: [[fill]]']] }],
  ])('depends on: %s', async (part, given) => {
    const before = await bake()
    const after = await bake({ ...given, known: before.parts })
    expect(after.reference).not.toBe(before.reference)
    expect(after.reason).toBe(`${part} changed`)
  })

  test('does not depend on servers that depend on it', async () => {
    expect((await bake({ identity: (server) => (server === 'web' ? 'another' : server) })).reference).toBe(
      (await bake()).reference,
    )
  })

  test('has no tag while the engine lacks an image that leads to it', async () => {
    const { reference, isNamed, isPresent } = await bake({ isPresent: false })
    expect({ reference, isNamed, isPresent }).toEqual({
      reference: 'testfleet/fleet-db/baked',
      isNamed: false,
      isPresent: false,
    })
  })
})

describe('describeDifference', () => {
  test('names every part that differs', () => {
    expect(describeDifference({ image: '1', commands: '1' }, { image: '2', commands: '1' })).toBe('image changed')
    expect(describeDifference({ image: '1', 'server a': '1' }, { image: '2' })).toBe('image and server a changed')
    expect(describeDifference({}, { image: '2', commands: '1', configuration: '1' })).toBe(
      'image, commands and configuration changed',
    )
    expect(describeDifference({ image: '1' }, { image: '1' })).toBe('testfleet bakes in another way')
  })
})

describe('the fleet in which a server is baked', () => {
  test('has the server and its dependencies, other secrets, no ports of this machine, and the commands of bake', async () => {
    const fleet = await loadText(
      text.replace('generate: 9', 'env: KEY').replace('5432', '{ container: 5432, host: 5432 }'),
    )
    const own = bakeFleet(fleet, 'db')
    const db = own.servers.get('db')
    expect([...own.servers.keys()]).toEqual(['cache', 'db'])
    expect(db?.bake).toBeUndefined()
    expect(db?.postStart.map(({ command }) => command)).toEqual([['seed']])
    expect(db?.secrets.get('KEY')).toEqual({ kind: 'generate', length: 24 })
    expect(db?.ports).toEqual([{ container: 5432, protocol: 'tcp', host: undefined, address: undefined }])
  })

  test('needs the images of everything that a baked server depends on', async () => {
    const fleet = await loadText(text)
    const [, db, web] = [...fleet.servers.values()]
    if (db === undefined || web === undefined) throw new Error('servers are missing')
    expect(withBakeSources([db], fleet).map(({ name }) => name)).toEqual(['cache', 'db'])
    expect(withBakeSources([web], fleet)).toEqual([web])
    expect(['cache', 'db', 'web'].filter((name) => leadsToBake(name, [db, web], fleet))).toEqual(['cache', 'db'])
  })
})
