import { chmodSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { idleSession, openMemory } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import { claimSocket } from '../lender/claim-socket.ts'
import { openLineServer } from '../lender/line-server.ts'
import type { ContainerSummary } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Lender } from '../model/session.ts'
import { newLenderSocket } from '../sessions/lender-socket.ts'
import { identifyProcess, readMachine } from '../sessions/processes.ts'
import type { Tools } from '../tools.ts'
import { claimLending, findLender, leaveLending } from './lender-place.ts'

const root = mkdtempSync(join(tmpdir(), 'place-'))
afterAll(() => rmSync(root, { recursive: true }))

const { id } = idleSession
const own = { machine: readMachine(), process: identifyProcess(process.pid) ?? { pid: process.pid, startedAt: '' } }
const dead = { ...own, process: { pid: process.pid, startedAt: 'before' } }

/** Callers of one session. Each has another folder for its sockets. */
async function openCallers() {
  const { open, runtime } = openMemory()
  const caller = (): Tools => {
    const environment = { XDG_RUNTIME_DIR: mkdtempSync(join(root, 'x-')) }
    const host = { ...currentHost('/'), environment }
    return { sessions: open(), runtime: runtime(), host, signal: new AbortController().signal } as unknown as Tools
  }
  const [one, other] = [caller(), caller()]
  const start = (lender: Lender) => one.sessions.create({ ...idleSession, lender })
  const socketOf = ({ host }: Tools): string => newLenderSocket(id, host)
  return { one, other, start, socketOf }
}

async function serve(path: string) {
  const { lines, accept } = openLineServer()
  const claim = await claimSocket(path, accept)
  lines.onClient((client) => client.onRequest(async () => ({ at: path })))
  return () => {
    claim?.release()
    lines.close()
  }
}

describe.skipIf(process.platform === 'win32')('the lender of a session', () => {
  test('is found by a caller whose folder for sockets is another one', async () => {
    const { one, other, start, socketOf } = await openCallers()
    const record = await start({ socket: socketOf(one) })
    const end = await serve(socketOf(one))
    const place = await findLender(record, other)
    if (!('client' in place)) throw new Error('it was not found')
    expect(await place.client.ask({}, { timeoutMs: 60_000 })).toEqual({ at: socketOf(one) })
    place.client.close()
    end()
  })

  test('is started at one path, also when the path in the record cannot be used any more', async () => {
    const { one, other, start, socketOf } = await openCallers()
    const gone = join(root, 'gone/testfleet-0/lender-0a1b2c3d.sock')
    const record = await start({ socket: gone, by: dead })
    const places = await Promise.all([findLender(record, one), findLender(record, other)])
    expect(places[0]).toEqual(places[1])
    expect([socketOf(one), socketOf(other)]).toContain('socket' in places[0] && places[0].socket)
    expect((await one.sessions.find(id))?.lender).toEqual(places[0])
  })

  test('is started at the path that commands of the session already have', async () => {
    const { one, other, start, socketOf } = await openCallers()
    const record = await start({ socket: socketOf(one) })
    expect(await findLender(record, other)).toEqual({ socket: socketOf(one) })
  })

  test('is not started again where one that runs cannot be reached', async () => {
    const { one, other, start, socketOf } = await openCallers()
    const record = await start({ socket: socketOf(one), by: own })
    await expect(findLender(record, other, 0)).rejects.toMatchObject({
      code: 'LENDER_LOST',
      message: `the lender of session shop, process ${process.pid} on ${own.machine.name}, cannot be reached at ${socketOf(one)}`,
    })
    const elsewhere = { ...own, machine: { ...own.machine, name: 'far', id: 'far' } }
    await one.sessions.update(id, (now) => ({ ...now, lender: { socket: socketOf(one), by: elsewhere } }))
    await expect(findLender(record, other)).rejects.toMatchObject({
      code: 'LENDER_LOST',
      message: `the servers of session shop are lent by process ${process.pid} on far, out of reach from here`,
    })
  })

  test("is started where its socket's folder cannot be used, which it then reports", async () => {
    const { one, start, socketOf } = await openCallers()
    mkdirSync(dirname(socketOf(one)))
    chmodSync(dirname(socketOf(one)), 0o755)
    const record = await start({ socket: socketOf(one), by: dead })
    expect(await findLender(record, one)).toEqual({ socket: socketOf(one) })
    await expect(claimSocket(socketOf(one), () => {})).rejects.toThrow('does not belong to this user alone')
  })

  test('is not looked for without end while its path cannot be replaced', async () => {
    const { one, start } = await openCallers()
    const gone = join(root, 'gone/testfleet-0/lender-0a1b2c3d.sock')
    const record = await start({ socket: gone, by: dead })
    let updates = 0
    const update = async () => {
      updates += 1
      return undefined
    }
    expect(await findLender(record, { ...one, sessions: { ...one.sessions, update } })).toEqual({ socket: gone })
    expect(updates).toBe(10)
  })

  test('is not looked for once its session is gone, or the call was ended', async () => {
    const { one, start } = await openCallers()
    const record = await start({ socket: join(root, 'gone/testfleet-0/lender-0a1b2c3d.sock'), by: dead })
    const signal = AbortSignal.abort(new TestfleetError('CANCELLED', 'ended by SIGINT'))
    await expect(findLender(record, { ...one, signal })).rejects.toMatchObject({ code: 'CANCELLED' })
    await one.sessions.remove(id)
    await expect(findLender(record, one)).rejects.toMatchObject({
      code: 'NO_SESSION',
      message: 'the session shop has ended',
    })
  })

  test('is followed by another one when it ran in a container that is gone', async () => {
    const { one, start, socketOf } = await openCallers()
    const machine = { ...own.machine, name: 'c0ffee', id: '', pidSpace: 'pid:[7]', container: 'c0ffee' }
    const record = await start({ socket: socketOf(one), by: { ...own, machine } })
    let state: string | undefined = 'running'
    Object.assign(one.runtime, {
      async inspectServer() {
        if (state === undefined) throw new TestfleetError('NOT_FOUND', 'no such container')
        return { state } as ContainerSummary
      },
    })
    await expect(findLender(record, one)).rejects.toMatchObject({ code: 'LENDER_LOST' })
    await expect(claimLending(id, socketOf(one), one)).rejects.toMatchObject({ code: 'LENDER_LOST' })
    state = undefined
    expect(await findLender(record, one)).toEqual({ socket: socketOf(one) })
    expect((await claimLending(id, socketOf(one), one))?.lender).toEqual({ socket: socketOf(one), by: own })
  })

  test('is one process: a second one ends, and one that has left is followed at the same path', async () => {
    const { one, other, start, socketOf } = await openCallers()
    await start({ socket: socketOf(one), by: dead })
    expect((await claimLending(id, socketOf(one), one))?.lender).toEqual({ socket: socketOf(one), by: own })
    await expect(claimLending(id, socketOf(other), other)).rejects.toMatchObject({ code: 'LENDER_LOST' })
    await leaveLending(id, one, one.signal)
    expect((await one.sessions.find(id))?.lender).toEqual({ socket: socketOf(one) })
    expect(await claimLending('0badc0de', socketOf(one), one)).toBeUndefined()
  })
})
