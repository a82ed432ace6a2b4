import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import type { FleetEvent } from '../model/events.ts'
import type { CallSettings } from './call.ts'
import { holdCopies } from './hold-copies.ts'

const folder = mkdtempSync(join(tmpdir(), 'hold-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a call that was ended starts no lender for standby copies', async () => {
  const lenderFile = join(folder, 'lender.js')
  writeFileSync(lenderFile, '')
  const host = { ...currentHost(folder), environment: { XDG_RUNTIME_DIR: folder }, lenderFile }
  const events: FleetEvent[] = []
  const client = { onEvent: (event: FleetEvent) => void events.push(event) } as unknown as CallSettings
  const fleet = { name: 'shop', servers: { web: { image: 'debian' } } }
  await holdCopies(client, fleet, 1, { host, signal: AbortSignal.abort(new Error('ended')) })
  // A lender that is started and does not serve would be reported.
  expect(events).toEqual([])
})
