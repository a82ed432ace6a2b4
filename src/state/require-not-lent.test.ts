import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { openLineServer } from '../lender/line-server.ts'
import type { ServerRecord } from '../model/session.ts'
import { listen } from '../sessions/keeper/guard.ts'
import { lenderSocketOf } from '../sessions/lender-socket.ts'
import { requireNotLent } from './require-not-lent.ts'

const folder = mkdtempSync(join(tmpdir(), 'lent-'))
const host = { ...currentHost(), environment: {}, temporaryFolder: folder }
const { signal } = new AbortController()
afterAll(() => rmSync(folder, { recursive: true }))

/** A session whose server `db` is lent so, and a lender that answers so. */
async function openSession(id: string, isolation: 'database' | 'container', answer: () => Promise<object>) {
  const { lines, accept } = openLineServer()
  lines.onClient((client) => client.onRequest(async (request) => (request.status ? answer() : {})))
  const server = await listen(lenderSocketOf({ id, lender: undefined }, host), accept)
  const check = () =>
    requireNotLent({ id, servers: { db: { lending: { isolation } } as ServerRecord } }, 'db', { host, signal })
  return {
    check,
    lines,
    [Symbol.dispose]() {
      lines.close()
      server?.close()
    },
  }
}

describe.skipIf(process.platform === 'win32')('a server in which databases are lent', () => {
  test('is busy until the last lease has ended', async () => {
    let lent = 2
    using session = await openSession('a', 'database', async () => ({ servers: { db: { lent } } }))
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

  test('is free when nobody has leased yet, and when its lender dies', async () => {
    using fresh = await openSession('b', 'database', async () => ({ servers: {} }))
    await fresh.check()
    using dying = await openSession('c', 'database', async () => {
      dying.lines.close()
      return {}
    })
    await dying.check()
    const servers = { db: { lending: { isolation: 'database' } } as ServerRecord }
    await requireNotLent({ id: 'none', servers }, 'db', { host, signal })
  })
})

test.skipIf(process.platform === 'win32')('a server whose copies are lent is free', async () => {
  using session = await openSession('d', 'container', async () => ({ servers: { db: { lent: 1 } } }))
  await session.check()
})
