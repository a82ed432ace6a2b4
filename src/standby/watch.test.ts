import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test, vi } from 'vitest'
import { currentHost } from '../current-host.ts'
import { findEngine } from '../engine/open-engine.ts'
import { watch } from './watch.ts'

const root = mkdtempSync(join(tmpdir(), 'watch-'))
afterAll(() => rmSync(root, { recursive: true }))

/** Watches the copies of a fleet file, which are on the engine `here`. */
async function watchFile(path: string, engine: string, pollMs: number) {
  const host = { ...currentHost(root), environment: {} }
  const location = await findEngine('unix:///here.sock', host)
  const copies = { settings: { size: 1, idleMs: 600_000, memoryBytes: undefined }, renew: vi.fn(), fill: vi.fn() }
  const order = { source: { kind: 'file', path, realPath: path }, engine } as const
  const watched = { order, tools: { host, engine: { location } }, activity: { lastAtMs: Date.now() } }
  const intervals = { tickMs: 1, pollMs }
  const all = { ...watched, copies: { ...copies, study: async () => {} } }
  const watching = watch(all, AbortSignal.timeout(60_000), intervals)
  return { ...copies, watching }
}

/** Long enough that nothing is noticed by looks alone. */
const NEVER_MS = 600_000

test.each([
  ['as the system reports it', NEVER_MS],
  ['by looking often', 1],
])('copies are renewed when the fleet file changes, and are wanted until it is gone: noticed %s', async (_, pollMs) => {
  const path = join(root, 'testfleet.yaml')
  writeFileSync(path, 'one')
  const { renew, fill, watching } = await watchFile(path, 'unix:///here.sock', pollMs)
  await vi.waitFor(() => expect(fill).toHaveBeenCalled(), 60_000)
  expect(renew).not.toHaveBeenCalled()
  writeFileSync(path, 'three')
  await vi.waitFor(() => expect(renew).toHaveBeenCalled(), 60_000)
  rmSync(path)
  await watching
})

test('copies are no longer wanted when calls use another engine', async () => {
  const path = join(root, 'other.yaml')
  writeFileSync(path, '')
  const { fill, watching } = await watchFile(path, 'unix:///far-away.sock', NEVER_MS)
  await watching
  expect(fill).not.toHaveBeenCalled()
})
