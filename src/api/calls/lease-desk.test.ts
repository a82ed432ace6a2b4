import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { idleSession, openMemory } from '../../../tests/support/memory-records.ts'
import { currentHost } from '../../current-host.ts'
import { claimSocket } from '../../lender/claim-socket.ts'
import { openLineServer } from '../../lender/line-server.ts'
import type { FleetEvent } from '../../model/events.ts'
import type { ServerRecord } from '../../model/session.ts'
import { newLenderSocket } from '../../sessions/lender-socket.ts'
import type { Tools } from '../../tools.ts'
import { LeaseDesk } from './lease-desk.ts'

const root = mkdtempSync(join(tmpdir(), 'desk-'))
afterAll(() => rmSync(root, { recursive: true }))
afterEach(() => void vi.useRealTimers())

test.skipIf(process.platform === 'win32').each([
  [{ isolation: 'container', pool: { size: 1, isPaused: false } }, 'db: waiting for a pristine one'],
  [undefined, 'db: waiting for a pristine one; it has no `pool`, so the first one is made now'],
])('a lease that takes long says so (%o)', async (lending, message) => {
  const host = { ...currentHost(root), environment: { XDG_RUNTIME_DIR: root } }
  const socket = newLenderSocket(idleSession.id, host)
  const { lines, accept } = openLineServer()
  const [asked, noted] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()]
  lines.onClient((client) =>
    client.onRequest(async () => {
      asked.resolve()
      await noted.promise
      return { lease: 'k1' }
    }),
  )
  const claim = await claimSocket(socket, accept)
  const servers = { db: { lending } as unknown as ServerRecord }
  const sessions = openMemory().open()
  const record = await sessions.create({ ...idleSession, servers, lender: { socket } })
  const onEvent = (event: FleetEvent): void => void (event.kind === 'noted' && noted.resolve(event.message))
  const tools = { host, sessions, onEvent, signal: new AbortController().signal } as unknown as Tools
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const desk = new LeaseDesk(record, undefined)
  const leased = desk.lease('db', {}, tools)
  await asked.promise
  vi.advanceTimersByTime(1000)
  expect(await noted.promise).toBe(message)
  expect(await leased).toMatchObject({ answer: { lease: 'k1' } })
  await desk.close()
  lines.close()
  claim?.release()
})

test.skipIf(process.platform === 'win32')('the time of a lease includes that until its lender answers', async () => {
  const host = { ...currentHost(root), environment: { XDG_RUNTIME_DIR: root } }
  const socket = newLenderSocket(idleSession.id, host)
  const claim = await claimSocket(socket, (connection) => void connection.on('error', () => {}))
  const sessions = openMemory().open()
  const servers = { db: {} as unknown as ServerRecord }
  const record = await sessions.create({ ...idleSession, servers, lender: { socket } })
  const tools = { host, sessions, onEvent() {}, signal: new AbortController().signal } as unknown as Tools
  const desk = new LeaseDesk(record, undefined)
  await expect(desk.lease('db', { timeoutMs: 20 }, tools)).rejects.toMatchObject({
    code: 'TIMED_OUT',
    message: 'no pristine db within 20 ms: the process that lends it does not answer',
    hint: 'Wait longer, or end that process: the next lease starts a new one.',
    server: 'db',
  })
  await desk.close()
  claim?.release()
})
