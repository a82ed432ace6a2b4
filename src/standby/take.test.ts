import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import process from 'node:process'
import { afterAll, describe, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { type LineServerLimits, openLineServer } from '../lender/line-server.ts'
import type { FleetEvent, OnEvent } from '../model/events.ts'
import { TestfleetError } from '../model/failures.ts'
import { standbySocket } from './socket.ts'
import { beginTaking, NotTaken } from './take.ts'

const root = mkdtempSync(join(tmpdir(), 'take-'))
const closers: (() => void)[] = []
afterAll(() => {
  for (const close of closers) close()
  rmSync(root, { recursive: true })
})

const offer = {
  ...{ copy: 'c', session: 'shop', keeper: '', servers: [], variables: [], sources: { exports: [] } },
  report: { session: 'shop', fleet: 'shop', servers: {} },
}

/** Begins to take a copy from a lender that answers `take` in this way. */
async function takeFrom(
  name: string,
  take: () => Promise<object>,
  signal = new AbortController().signal,
  limits?: LineServerLimits,
  onEvent: OnEvent = () => {},
) {
  const source = { kind: 'object', value: { name }, folder: root } as const
  const host = { ...currentHost(root), environment: {}, lenderFile: import.meta.filename }
  const path = standbySocket(source, host)
  mkdirSync(dirname(path), { mode: 0o700, recursive: true })
  const { lines, accept } = openLineServer(limits)
  lines.onClient((client) => client.onRequest(async (request) => (request.do === 'open' ? { offer } : take())))
  const server = createServer(accept)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  closers.push(() => {
    lines.close()
    server.close()
  })
  return beginTaking({ source, signal }, host, onEvent)
}

describe.skipIf(process.platform === 'win32')('a copy that a caller does not get', () => {
  test('because its lender takes too long is no failure: the fleet can be started', async () => {
    const taking = await takeFrom('slow', async () => {
      throw new TestfleetError('TIMED_OUT', 'the lender has not answered within 30000 ms')
    })
    const error = await taking?.taken.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(NotTaken)
    expect(error).toMatchObject({ message: 'the lender has not answered within 30000 ms', isOnlyThis: false })
  })

  test('because its lender refuses the connection is no failure, either', async () => {
    const events: FleetEvent[] = []
    const limits = { clients: 0, requests: 1 }
    const taking = await takeFrom(
      'full',
      async () => ({}),
      undefined,
      limits,
      (event) => void events.push(event),
    )
    expect(taking).toBeUndefined()
    expect(events).toEqual([{ kind: 'warned', message: 'the fleet is started: the lender already has 0 clients' }])
  })

  test('because the call is cancelled fails with the reason', async () => {
    const stop = new AbortController()
    const taking = await takeFrom('cancelled', () => new Promise(() => {}), stop.signal)
    const reason = new TestfleetError('CANCELLED', 'enough')
    stop.abort(reason)
    await expect(taking?.taken).rejects.toBe(reason)
  })
})
