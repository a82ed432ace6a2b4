import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { idleSession, openMemory } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import { claimSocket } from '../lender/claim-socket.ts'
import { openLineServer } from '../lender/line-server.ts'
import type { FleetEvent } from '../model/events.ts'
import { newLenderSocket } from '../sessions/lender-socket.ts'
import type { Tools } from '../tools.ts'
import { answerClient } from './answer-client.ts'
import type { Refreshed, SessionLending } from './lend-session.ts'
import { startLending } from './start-lending.ts'

const root = mkdtempSync(join(tmpdir(), 'start-'))
afterAll(() => rmSync(root, { recursive: true }))

test.skipIf(process.platform === 'win32').each([
  ['short', 10],
  ['longer than a line of the protocol', 100_000],
])('a lender that runs learns of a fleet that is %s', async (_, length) => {
  const host = { ...currentHost(root), environment: { XDG_RUNTIME_DIR: root, XDG_STATE_HOME: '/state' } }
  const socket = newLenderSocket(idleSession.id, host)
  const learned: Partial<Refreshed>[] = []
  const lending = { refresh: async (one: Partial<Refreshed>) => void learned.push(one) } as unknown as SessionLending
  const { lines, accept } = openLineServer()
  const over = { signal: new AbortController().signal, endWithSession: async () => {} }
  lines.onClient((client) => answerClient(client, Promise.resolve(lending), over))
  const claim = await claimSocket(socket, accept)
  const sessions = openMemory().open()
  const record = await sessions.create({ ...idleSession, file: undefined, lender: { socket } })
  const events: FleetEvent[] = []
  const onEvent = (event: FleetEvent): void => void events.push(event)
  const tools = { host, sessions, onEvent, signal: new AbortController().signal } as unknown as Tools
  const value = { name: 'shop', servers: {}, 'x-note': '"'.repeat(length) }
  await startLending(record, value, tools)
  expect(events).toEqual([])
  expect(learned).toEqual([
    {
      order: { kind: 'object', value, folder: root },
      environment: { XDG_RUNTIME_DIR: root, XDG_STATE_HOME: '/state' },
    },
  ])
  claim?.release()
  lines.close()
})
