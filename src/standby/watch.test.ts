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
async function watchFile(path: string, engine: string) {
  const host = { ...currentHost(root), environment: {} }
  const location = await findEngine('unix:///here.sock', host)
  const copies = { settings: { size: 1, idleMs: 600_000, memoryBytes: undefined }, renew: vi.fn(), fill: vi.fn() }
  const order = { source: { kind: 'file', path, realPath: path }, engine } as const
  const watched = { order, tools: { host, engine: { location } }, activity: { lastAtMs: Date.now() } }
  const watching = watch({ ...watched, copies: { ...copies, study: async () => {} } }, AbortSignal.timeout(60_000), 1)
  return { ...copies, watching }
}

test('copies are wanted until the fleet file is gone, and are renewed when it changes', async () => {
  const path = join(root, 'testfleet.yaml')
  writeFileSync(path, 'one')
  const { renew, fill, watching } = await watchFile(path, 'unix:///here.sock')
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
  const { fill, watching } = await watchFile(path, 'unix:///far-away.sock')
  await watching
  expect(fill).not.toHaveBeenCalled()
})
