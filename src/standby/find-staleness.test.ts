import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { openEngine } from '../engine/open-engine.ts'
import type { Tools } from '../tools.ts'
import { findStaleness } from './find-staleness.ts'
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
