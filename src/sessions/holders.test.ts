import { spawn } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { idleSession, openMemory } from '../../tests/support/memory-records.ts'
import { leaveAndTell } from '../api/leave.ts'
import { currentHost } from '../current-host.ts'
import type { Holder, Lifetime } from '../model/session.ts'
import type { Tools } from '../tools.ts'
import { leaveSession } from './hold.ts'
import { findHolders, mergeLifetime, nameHolder, requireNoOthers } from './holders.ts'
import { ownHolder } from './keeper/client.ts'
import { readMachine } from './processes.ts'
import { askToEnd, describeTakenDown, listenForEnd, listenForTakedown, notifyHolders } from './taken-down.ts'

const nobody: Holder = { machine: readMachine(), process: { pid: 2 ** 22 + 1, startedAt: '1' } }
const elsewhere: Holder = { ...nobody, machine: { ...readMachine(), name: 'far', id: 'x', pidSpace: 'y' } }
const lasting = (...holders: Holder[]): Lifetime => ({ kind: 'lasting', holders })
const refuse = (lifetime: Lifetime, processId = process.pid): void =>
  requireNoOthers({ ...idleSession, lifetime, revision: 1, writers: [] }, processId)

describe('a session that others hold', () => {
  test('is refused for every kind of holder and lifetime', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', 'worker 1'], {
      stdio: 'ignore',
      cwd: '/',
    })
    await new Promise((resolve) => child.once('spawn', resolve))
    const holder = ownHolder(child.pid ?? 0)
    const busy = {
      code: 'SESSION_BUSY',
      message: expect.stringMatching(`held by process ${child.pid} \\(node -e .* worker 1, in /\\)`),
    }
    for (const lifetime of [
      lasting(nobody, ownHolder(process.pid), holder),
      { kind: 'until', untilMs: 1, keeper: undefined, holders: [holder] },
      { kind: 'held', keeper: undefined, holders: [holder] },
    ] as const) {
      expect(() => refuse(lifetime)).toThrow(expect.objectContaining(busy))
    }
    expect(() => refuse(lasting(holder, elsewhere))).toThrow('and 1 more')
    // Processes started by a holder may change it: a command of `run` may call `down`.
    expect(() => refuse(lasting(holder), child.pid)).not.toThrow()
    child.kill('SIGKILL')
  })

  test('is refused when its holder cannot be seen from here', () => {
    expect(() => refuse(lasting(elsewhere))).toThrow(`the session shop is held by process ${nobody.process.pid} of far`)
  })

  test.each<[string, Lifetime]>([
    ['nobody holds it', { kind: 'lasting' }],
    ['its holders are dead', lasting(nobody)],
    ['this process runs under its holders', lasting(ownHolder(process.pid), ownHolder(process.ppid))],
  ])('is free when %s', (_, lifetime) => {
    expect(() => refuse(lifetime)).not.toThrow()
  })
})

test('holders are kept when the lifetime of their session changes', () => {
  const until: Lifetime = { kind: 'until', untilMs: 7, keeper: undefined }
  expect(mergeLifetime(lasting(nobody), until)).toEqual({ ...until, holders: [nobody] })
  expect(mergeLifetime({ ...until, holders: [elsewhere] }, lasting(nobody))).toEqual(lasting(elsewhere))
  const held: Lifetime = { kind: 'held', holders: [nobody], keeper: undefined }
  expect(mergeLifetime(held, { ...held, holders: [] })).toEqual(held)
  expect(mergeLifetime(held, undefined)).toEqual(held)
  expect(findHolders(lasting(nobody, elsewhere))).toEqual([elsewhere])
})

test('a holder learns who took the session down and when; a dead holder is not waited for', async () => {
  const listener = await listenForTakedown(currentHost())
  const holder: Holder = { ...ownHolder(process.pid), socket: listener.socket }
  await notifyHolders(
    lasting({ ...nobody, socket: `${listener.socket?.slice(0, -9)}0.sock` }, { ...nobody, socket: '/dev/log' }, holder),
    4711,
  )
  expect(listener.takenDown()).toEqual({ atMs: expect.any(Number), pid: 4711 })
  expect(describeTakenDown('web', { atMs: new Date(2026, 0, 2, 16, 12, 19).getTime(), pid: 4711 })).toBe(
    'session web was taken down at 16:12:19 by process 4711',
  )
  expect(describeTakenDown('web', undefined)).toBe('session web was taken down')
  listener.close()
})

test('a call that ends a session waits until its holder has ended it, not longer', async () => {
  const ended = Promise.withResolvers<void>()
  let asked = 0
  const listener = await listenForEnd(currentHost(), () => {
    asked += 1
    return ended.promise
  })
  let isOver = false
  const holder: Holder = { ...ownHolder(process.pid), socket: listener.socket }
  const { signal } = new AbortController()
  const waiting = askToEnd(lasting(holder), signal).then(() => {
    isOver = true
  })
  await eventually(() => expect(asked).toBe(1))
  await setTimeout(20)
  expect(isOver).toBe(false)
  ended.resolve()
  await waiting
  listener.close()
  await askToEnd(lasting(holder), signal)
})

test('a call that ends while it waits for a hung holder waits no longer', async () => {
  const asked = Promise.withResolvers<void>()
  const listener = await listenForEnd(currentHost(), () => {
    asked.resolve()
    return new Promise(() => {})
  })
  const stop = new AbortController()
  const holder: Holder = { ...ownHolder(process.pid), socket: listener.socket }
  const waiting = askToEnd(lasting(holder), stop.signal)
  await asked.promise
  stop.abort(new Error('ended by SIGINT'))
  await expect(waiting).rejects.toThrow('ended by SIGINT')
  listener.close()
})

test('a holder that ends a moment after the command does not keep the session', async () => {
  const tools = { sessions: openMemory().open(), signal: new AbortController().signal } as unknown as Tools
  const answers = [2, 1, 0]
  expect(await leaveSession('0a1b2c3d', ownHolder(process.pid), async () => answers.shift() ?? 9, tools)).toBe(0)
  expect(answers).toEqual([])
})

test('a session that stays is reported with the process and the command that hold it', async () => {
  const sessions = openMemory().open()
  const holder = ownHolder(process.pid)
  const record = await sessions.create({ ...idleSession, lifetime: lasting(nobody, holder) })
  const warnings: unknown[] = []
  const tools = { sessions, signal: new AbortController().signal, onEvent: (event: unknown) => warnings.push(event) }
  for (const others of [1, 2, 3])
    await leaveAndTell(
      { record, report: { session: 'shop' }, end: async () => others } as unknown as Parameters<typeof leaveAndTell>[0],
      tools as unknown as Tools,
    )
  const name = nameHolder(holder)
  expect(name).toBe(`process ${process.pid} (vitest)`)
  expect(warnings).toEqual(
    [`${name} holds it`, `${name} and 1 other hold it`, `${name} and 2 others hold it`].map((who) => ({
      kind: 'warned',
      message: `the session shop stays: ${who}`,
    })),
  )
  expect(nameHolder(elsewhere)).toBe(`process ${nobody.process.pid} of far`)
})
