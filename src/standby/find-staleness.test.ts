import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { openEngine } from '../engine/open-engine.ts'
import type { Operation } from '../model/plan.ts'
import type { Tools } from '../tools.ts'
import { findChange, findStaleness } from './find-staleness.ts'
import { loadStandbyFleet } from './load-fleet.ts'
import { traceFiles } from './trace-files.ts'

const home = mkdtempSync(join(tmpdir(), 'find-staleness-'))
afterAll(() => rmSync(home, { recursive: true }))

/** As `docker context use` does. */
function useContext(name: string): void {
  const folder = join(home, '.docker/contexts/meta', createHash('sha256').update(name).digest('hex'))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'meta.json'), JSON.stringify({ Endpoints: { docker: { Host: `unix:///${name}.sock` } } }))
  writeFileSync(join(home, '.docker/config.json'), JSON.stringify({ currentContext: name }))
}

test('a copy is out of date when calls use another engine, and the change is noticed', async () => {
  useContext('here')
  const host = { ...currentHost(home), homeFolder: home, environment: {} }
  const source = { kind: 'object', value: { servers: { web: { image: 'debian' } } }, folder: home } as const
  const tools = { host, engine: await openEngine(undefined, host), sessions: { find: async () => undefined } }
  const copy = { id: 'copy', fleet: await loadStandbyFleet(source, host) }
  const look = (engine?: string) => findStaleness(copy, { source, engine }, tools as unknown as Tools)
  const { result, states } = await traceFiles(look, Number.NEGATIVE_INFINITY)
  expect([result, await states?.areSame()]).toEqual(['it was removed', true])
  useContext('far-away')
  expect(await states?.areSame()).toBe(false)
  expect(await look()).toBe('the engine is now unix:///far-away.sock')
  expect(await look('unix:///here.sock')).toBe('it was removed')
})

test.each([
  [
    'the server whose image is built again, and not what depends on it',
    [
      { kind: 'buildImage', servers: ['web'] },
      { kind: 'stopServer', server: 'proxy', reason: 'web is new' },
      { kind: 'stopServer', server: 'web', reason: 'image changed' },
      { kind: 'startServer', server: 'web', reason: 'image changed' },
      { kind: 'startServer', server: 'proxy', reason: 'web is new' },
    ],
    'web: image changed',
  ],
  [
    'a server that is gone',
    [{ kind: 'stopServer', server: 'b', reason: 'no longer in the fleet' }],
    'b: no longer in the fleet',
  ],
  ['an image alone', [{ kind: 'buildImage', servers: ['a', 'b'] }], 'a, b: the image has changed'],
  ['an image that is missing', [{ kind: 'pullImage', reference: 'debian' }], 'the engine lacks the image debian'],
  ['a record', [{ kind: 'saveRecord', updates: [{ server: 'a', reason: 'export changed' }] }], 'a: export changed'],
  ['a network', [{ kind: 'createNetwork' }], 'the fleet has changed'],
  [
    'nothing',
    [
      { kind: 'keepServer', server: 'a' },
      { kind: 'saveRecord', updates: [] },
    ],
    undefined,
  ],
])('a copy is out of date because of %s', (_, operations, why) => {
  expect(findChange(operations as unknown as Operation[])).toBe(why)
})
