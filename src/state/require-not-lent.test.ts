import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { idleSession, openMemory } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import { openLineServer } from '../lender/line-server.ts'
import type { Isolation } from '../model/lending.ts'
import type { Lender, ServerRecord } from '../model/session.ts'
import { listen } from '../sessions/keeper/guard.ts'
import { newLenderSocket } from '../sessions/lender-socket.ts'
import { identifyProcess, readMachine } from '../sessions/processes.ts'
import type { SessionStore, StoredRecord } from '../sessions/store.ts'
import { requireNotLent } from './require-not-lent.ts'

const folder = mkdtempSync(join(tmpdir(), 'lent-'))
const host = { ...currentHost(), environment: {}, temporaryFolder: folder }
const { signal } = new AbortController()
afterAll(() => rmSync(folder, { recursive: true }))

/** Checks the server `db` of a session, which is lent so, by this process unless `by` says otherwise. */
async function check(id: string, isolation: Isolation, by?: Lender['by']): Promise<void> {
  const servers = { db: { lending: { isolation } } as ServerRecord }
  const lender = { socket: newLenderSocket(id, host), by }
  const record = { ...idleSession, id, servers, lender } as unknown as StoredRecord
  const sessions = { find: async () => record } as unknown as SessionStore
  await requireNotLent(record, 'db', { host, signal, sessions, runtime: openMemory().runtime() }, 0)
}

/** A session whose lender answers so. */
async function openSession(id: string, isolation: Isolation, answer: () => Promise<object>) {
  const { lines, accept } = openLineServer()
  lines.onClient((client) => client.onRequest(async (request) => (request.status ? answer() : {})))
  const server = await listen(newLenderSocket(id, host), accept)
  return {
    check: () => check(id, isolation),
    lines,
    [Symbol.dispose]() {
      lines.close()
      server?.close()
    },
  }
}

const inside = (lent: number) => ({ isolation: 'database', lent })

describe.skipIf(process.platform === 'win32')('a server in which databases are lent', () => {
  test('is busy until the last lease has ended', async () => {
    let lent = 2
    using session = await openSession('a', 'database', async () => ({ servers: { db: inside(lent) } }))
    await expect(session.check()).rejects.toMatchObject({
      code: 'SESSION_BUSY',
      server: 'db',
      message: 'db: 2 of its databases are lent',
    })
    lent = 1
    await expect(session.check()).rejects.toMatchObject({ message: 'db: 1 of its databases is lent' })
    lent = 0
    await session.check()
  })

  test('is busy when only an earlier state of the fleet file lent them', async () => {
    const status = { servers: { db: { isolation: 'container', lent: 3, earlier: [inside(1)] } } }
    for (const isolation of ['database', 'container'] as const) {
      using session = await openSession(`e-${isolation}`, isolation, async () => status)
      await expect(session.check()).rejects.toMatchObject({ message: 'db: 1 of its databases is lent' })
    }
  })

  test('is free when nobody has leased yet, and when its lender dies', async () => {
    using fresh = await openSession('b', 'database', async () => ({ servers: {} }))
    await fresh.check()
    using dying = await openSession('c', 'database', async () => {
      dying.lines.close()
      return {}
    })
    await dying.check()
    await check('none', 'database')
  })

  test('is busy while its lender may run, but cannot be reached', async () => {
    const machine = readMachine()
    const own = { machine, process: identifyProcess(process.pid) ?? { pid: process.pid, startedAt: '' } }
    await expect(check('f', 'database', own)).rejects.toMatchObject({
      code: 'SESSION_BUSY',
      message: expect.stringContaining(
        `db: its databases may be lent: the lender of session shop, process ${process.pid}`,
      ),
    })
    const elsewhere = { ...own, machine: { ...machine, name: 'far', id: 'far' } }
    await expect(check('f', 'database', elsewhere)).rejects.toMatchObject({ code: 'SESSION_BUSY' })
    await check('f', 'database', { ...own, process: { pid: process.pid, startedAt: 'before' } })
    await check('f', 'container', own)
  })
})

test.skipIf(process.platform === 'win32')('a server whose copies are lent is free', async () => {
  using session = await openSession('d', 'container', async () => ({
    servers: { db: { isolation: 'container', lent: 1 } },
  }))
  await session.check()
})
