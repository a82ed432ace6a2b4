import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { currentHost } from '../../src/current-host.ts'
import { beginPoolSession } from '../../src/lease/pool-session.ts'
import { connectLender, startLender } from '../../src/lender/client.ts'
import type { FleetEvent } from '../../src/model/events.ts'
import { hold } from '../../src/standby/control.ts'
import type { StandbySource } from '../../src/standby/protocol.ts'
import { standbySocket } from '../../src/standby/socket.ts'
import type { Tools } from '../../src/tools.ts'
import { eventually } from '../support/eventually.ts'
import { idleSession, openMemory } from '../support/memory-records.ts'

const root = mkdtempSync(join(tmpdir(), 'lender-'))
afterAll(() => rmSync(root, { recursive: true }))

const soon = { timeoutMs: 60_000 }
const lenderFile = join(import.meta.dirname, '../fixtures/echo-lender.ts')
const environment = { HOME: '/home/me', TMPDIR: root, SECRET: 'hidden' }
const host = { lenderFile, platform: process.platform, environment }
const orderIn = (folder: string) => ({ kind: 'echo', socket: join(root, folder, 'lender-1.sock'), session: 'abc' })

describe.skipIf(process.platform === 'win32').concurrent('a lender', () => {
  test('is one process, however many start it at the same time', async () => {
    const order = orderIn('many')
    const clients = await Promise.all(Array.from({ length: 5 }, () => startLender(order, host)))
    const answers = await Promise.all(clients.map((client) => client.ask({ a: 1 }, soon)))
    expect(new Set(answers.map(({ pid }) => pid)).size).toBe(1)
    expect(answers[0]).toMatchObject({ order, request: { a: 1 } })
    const { SECRET, HOME } = (answers[0]?.env ?? {}) as Record<string, string>
    expect({ SECRET, HOME }).toEqual({ SECRET: undefined, HOME: '/home/me' })
    for (const client of clients) client.close()
    await vi.waitFor(() => expect(readdirSync(join(root, 'many'))).toEqual([]), { timeout: 60_000 })
    expect(await connectLender(order.socket)).toBeUndefined()
  })

  test('that is killed is reported to its clients, and the next start replaces it', async () => {
    const order = orderIn('killed')
    const client = await startLender(order, host)
    const { pid } = await client.ask({}, soon)
    const ended = new Promise<void>((resolve) => client.onEnd(resolve))
    process.kill(pid as number, 'SIGKILL')
    await ended
    await expect(client.ask({}, soon)).rejects.toMatchObject({
      code: 'LENDER_LOST',
      message: 'the lender has ended',
      hint: 'Call again: the next call starts a new lender.',
    })
    const next = await startLender(order, host)
    expect((await next.ask({}, soon)).pid).not.toBe(pid)
    next.close()
  })

  test('that has begun to serve and loads its code is waited for longer than one that may hang', async () => {
    const late = join(root, 'late.mjs')
    writeFileSync(
      late,
      `import { createServer } from 'node:net'
       let text = ''
       for await (const chunk of process.stdin) text += chunk
       const answer = (socket) => socket.on('data', () => setTimeout(() => socket.write('{"id":1}\\n'), 300))
         .on('end', () => process.exit(0)).on('error', () => process.exit(0))
       createServer(answer).listen(JSON.parse(text).socket, () => process.stdout.write('{"isServing":true}\\n'))`,
    )
    mkdirSync(join(root, 'late'), { mode: 0o700 })
    const order = orderIn('late')
    const client = await startLender(order, { ...host, lenderFile: late }, undefined, () => {}, 100)
    client.close()
  })

  test('is ended when its caller no longer wants it', async () => {
    const slow = join(root, 'slow.mjs')
    writeFileSync(
      slow,
      `(await import("node:fs")).writeFileSync(${JSON.stringify(join(root, 'begun'))}, ""); setInterval(() => {}, 1000)`,
    )
    const stop = new AbortController()
    const started = startLender(orderIn('slow'), { ...host, lenderFile: slow }, stop.signal)
    started.catch(() => {})
    await vi.waitFor(() => expect(readdirSync(root)).toContain('begun'), { timeout: 60_000 })
    stop.abort(new Error('enough'))
    await expect(started).rejects.toThrow('enough')
    await expect(startLender(orderIn('slow'), host, stop.signal)).rejects.toThrow('enough')
  })

  test('that cannot start fails with its reason', async () => {
    const broken = join(root, 'broken.mjs')
    writeFileSync(broken, 'process.exit(7)')
    const odd = join(root, 'odd.mjs')
    const oddPid = join(root, 'odd.pid')
    writeFileSync(
      odd,
      `(await import("node:fs")).writeFileSync(${JSON.stringify(oddPid)}, String(process.pid))
       process.stdout.write("hello\\n"); setInterval(() => {}, 1000)`,
    )
    const inNoFolder = { ...orderIn('x'), socket: join(root, 'missing/sub/lender-1.sock') }
    const cases = [
      [orderIn('b'), { ...host, lenderFile: broken }, 'the lender cannot start: it ended with exit code 7'],
      [orderIn('j'), { ...host, lenderFile: odd }, 'the lender cannot start: its answer is no JSON'],
      [{ ...orderIn('o'), kind: 'odd' }, host, 'the lender cannot start: its order is not known'],
      [inNoFolder, host, expect.stringContaining('ENOENT')],
    ] as const
    for (const [order, where, message] of cases)
      await expect(startLender(order, where)).rejects.toMatchObject({ code: 'LENDER_LOST', message })
    const pid = Number(readFileSync(oddPid, 'utf8'))
    await eventually(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'))
  })
})

test.skipIf(process.platform === 'win32')(
  'a cancelled call ends the lender that prepares copies for it, and leaves one that another call has started',
  async () => {
    const busy = join(import.meta.dirname, '../fixtures/busy-lender.ts')
    const here = { ...currentHost(root), lenderFile: busy, temporaryFolder: root }
    const source: StandbySource = { kind: 'object', value: {}, folder: root }
    const begin = () => {
      const stop = new AbortController()
      const notes: string[] = []
      const note = (event: FleetEvent): void => void (event.kind === 'noted' && notes.push(event.message))
      const settings = { size: 2, idleMs: 60_000, memoryBytes: undefined }
      const held = hold({ source, settings }, here, stop.signal, note)
      held.catch(() => {})
      return { held, notes, stop: () => stop.abort(new Error('ended by SIGINT')) }
    }
    const connect = () => connectLender(standbySocket(source, here))
    const untilAsked = (count: number) =>
      vi.waitFor(async () => {
        const client = await connect()
        const { asked } = (await client?.ask({ do: 'status' }, soon)) ?? {}
        client?.close()
        expect(asked).toBe(count)
      }, soon.timeoutMs)
    const first = begin()
    await untilAsked(1)
    const second = begin()
    await untilAsked(2)
    second.stop()
    await expect(second.held).rejects.toThrow('ended by SIGINT')
    expect(second.notes.at(-1)).toMatch(/^the standby copies are still prepared, because another call has begun them; /)
    await untilAsked(2)
    first.stop()
    await expect(first.held).rejects.toThrow('ended by SIGINT')
    expect(first.notes.at(-1)).toBe('cancelled: removing the standby copies that were begun')
    await vi.waitFor(async () => expect(await connect()).toBeUndefined(), soon.timeoutMs)
  },
)

test('a session for copies that cannot be begun is removed again', async () => {
  const { runtime, open, stored } = openMemory()
  const sessions = open()
  const nothing = { servers: [], networks: [], volumes: [] }
  const engine = {
    listServers: async () => [],
    observe: async () => nothing,
    listSavedImages: async () => [],
    removeUnfinishedImages: async () => {},
    location: { endpoint: {} },
  }
  const replace = async (): Promise<never> => {
    throw new Error('the engine does not answer')
  }
  const tools = {
    runtime: { ...runtime(), ...engine },
    sessions: { ...sessions, replace },
    host: { ...currentHost('/'), keeperFile: join(root, 'missing.mjs') },
    signal: AbortSignal.timeout(60_000),
    onEvent() {},
  } as unknown as Tools
  const parent = await sessions.create(idleSession)
  await expect(beginPoolSession(parent, async () => {}, tools)).rejects.toThrow('the engine does not answer')
  expect([...stored.values()].map(({ session }) => session)).toEqual([parent.id])
})
