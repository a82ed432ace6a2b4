import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ensureAuthority } from '../../src/certificates/authority-store.ts'
import { fleetNames } from '../../src/certificates/make-certificates.ts'
import { loadFleet } from '../../src/config/load-fleet.ts'
import { currentHost } from '../../src/current-host.ts'
import { makeFleetFolder, removeFleetFolders, runTestfleet } from '../support/command.ts'

afterAll(removeFleetFolders)

const DAY_MS = 24 * 3_600_000

test('up renews certificates before they expire, replaces their servers, and says why', async () => {
  const name = `renewed-${randomBytes(3).toString('hex')}`
  const server = { image: 'debian:bookworm-slim', command: ['sleep', '600'] }
  const declaration = { name, servers: { web: { ...server, tls: true }, plain: server } }
  const folder = await makeFleetFolder({ 'testfleet.json': JSON.stringify(declaration) })
  const env = { TESTFLEET_STATE_DIR: join(folder, 'state') }
  const host = { ...currentHost(), workingFolder: folder, environment: env }
  const loaded = await loadFleet({ kind: 'file', named: undefined }, host)
  const fleet = { ...loaded, names: fleetNames(loaded, undefined) }
  const call = (...words: string[]) => runTestfleet(words, { cwd: folder, env })

  // As if the fleet had been up for 19 days; two days later, less than a third of its authority's life is left.
  const old = await ensureAuthority(fleet, host, Date.now() - 19 * DAY_MS)
  expect((await call('up')).exitCode).toBe(0)
  try {
    expect((await call('up')).stderr).toContain('web: ready (unchanged)')
    const renewed = await ensureAuthority(fleet, host, Date.now() + 2 * DAY_MS)
    expect(renewed.fingerprint).not.toBe(old.fingerprint)
    const plan = await call('plan')
    const up = await call('up')
    const [end] = new Date(old.endsAtMs).toISOString().split('T')
    const why = `new certificate authority; the old one ends on ${end}`
    expect(plan.stdout).toContain(why)
    expect(up.stderr).toContain('plain: starting\n')
    const { stdout } = await call('endpoints', '--format', 'env')
    expect(stdout).toContain(`/authorities/${renewed.fingerprint}/ca.pem`)
  } finally {
    await call('down')
  }
})
