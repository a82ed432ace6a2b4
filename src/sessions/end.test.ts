import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { idleSession, openMemory } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import { claimSocket } from '../lender/claim-socket.ts'
import type { ContainerSummary } from '../model/container.ts'
import type { FleetEvent } from '../model/events.ts'
import { TestfleetError } from '../model/failures.ts'
import { label } from '../model/labels.ts'
import type { SessionRecord } from '../model/session.ts'
import { say } from '../model/surface.ts'
import type { Resource, Runtime } from '../runtime/runtime.ts'
import { createSession } from './begin-change.ts'
import type { Prepared } from './change.ts'
import { endSession } from './end.ts'
import { newLenderSocket } from './lender-socket.ts'
import { readMachine } from './processes.ts'
import { stopLender } from './stop-lender.ts'

const root = mkdtempSync(join(tmpdir(), 'end-'))
afterAll(() => rmSync(root, { recursive: true }))
afterEach(() => void vi.useRealTimers())

const network: Resource = {
  id: 'n1',
  name: 'shop-net',
  labels: { [label.session]: idleSession.id },
  createdAtMs: 0,
}
const child: SessionRecord = { ...idleSession, id: '11111111', name: 'shop-pool', parent: idleSession.id }
const stranger: SessionRecord = { ...idleSession, id: '22222222', name: 'other' }

function serverOf(session: string, network: Partial<ContainerSummary['networks'][number]>): ContainerSummary {
  const networks = [{ name: '', networkId: '', ip: '', gateway: '', ...network }]
  return {
    id: `server of ${session}`,
    name: '',
    labels: { [label.session]: session },
    networks,
  } as unknown as ContainerSummary
}

/** An engine that removes the network of a session only when nothing uses it. `onRefusal` is called before each refusal. */
async function openEngine(records: readonly SessionRecord[], given: readonly ContainerSummary[] = []) {
  const memory = openMemory()
  const sessions = memory.open()
  const [session] = await Promise.all(records.map((record) => sessions.create(record)))
  if (session === undefined) throw new Error('there is no session')
  let servers = given
  let networks: readonly Resource[] = [network]
  const done: string[] = []
  const isOf = ({ labels }: Pick<Resource, 'labels'>, wanted: Readonly<Record<string, string>>): boolean =>
    Object.entries(wanted).every(([key, value]) => labels[key] !== undefined && (value === '' || labels[key] === value))
  const verbs: Partial<Runtime> = {
    async observe(labels) {
      done.push('look')
      const isWanted = (one: Pick<Resource, 'labels'>): boolean => isOf(one, labels)
      return { servers: servers.filter(isWanted), networks: networks.filter(isWanted), volumes: [] }
    },
    listServers: async (labels) => servers.filter((one) => isOf(one, labels)),
    killServer: async () => {},
    async removeServer({ id }) {
      done.push(`remove ${id}`)
      servers = servers.filter((one) => one.id !== id)
    },
    async removeNetwork(id) {
      if (servers.length > 0) throw new TestfleetError('ENGINE_REFUSED', 'the network is still used')
      done.push(`remove ${id}`)
      networks = []
    },
    listSavedImages: async () => [],
  }
  const runtime = Object.assign(memory.runtime(), verbs)
  const add = (one: ContainerSummary): void => {
    servers = [...servers, one]
  }
  const { signal } = new AbortController()
  const onEvent = (event: FleetEvent): void => void (event.kind === 'noted' && done.push(event.message))
  const tools = { runtime, sessions, onEvent, signal, host: currentHost() }
  return { session, tools, done, add }
}

test('a session ends after the sessions of its copies, and its network after what uses it', async () => {
  const { session, tools, done } = await openEngine(
    [idleSession, child],
    [serverOf(child.id, { networkId: 'n1' }), serverOf('gone', { name: 'shop-net' }), serverOf(idleSession.id, {})],
  )
  const removed = await endSession(session, tools, { recheckMs: 0, inUsePauseMs: 0 })
  expect(done.filter((one) => one !== 'look')).toEqual([
    'remove server of 11111111',
    'remove server of 0a1b2c3d',
    'remove server of gone',
    'remove n1',
  ])
  expect(removed).toMatchObject({ networks: 1 })
  expect((await tools.sessions.list()).sessions).toEqual([])
})

test('a graceful server is removed before what it depends on, which is removed even if that fails', async () => {
  const named = (name: string, labels: ContainerSummary['labels'] = {}): ContainerSummary => ({
    ...serverOf(idleSession.id, {}),
    ...{ id: name, state: 'running', labels: { [label.session]: idleSession.id, [label.server]: name, ...labels } },
  })
  const { session, tools, done } = await openEngine(
    [{ ...idleSession, servers: { app: { dependsOn: ['db'] } } as unknown as SessionRecord['servers'] }],
    [named('db'), named('web'), named('app', { [label.stopGrace]: '1000' })],
  )
  const { removeServer } = tools.runtime
  let refused = 0
  tools.runtime.removeServer = async (server, options) => {
    if (server.id === 'app' && refused++ === 0) {
      await new Promise(setImmediate)
      done.push('refuse app')
      throw new TestfleetError('ENGINE_REFUSED', 'it does not end')
    }
    return removeServer(server, options)
  }
  await expect(endSession(session, tools, { recheckMs: 0, inUsePauseMs: 0 })).rejects.toMatchObject({
    code: 'CLEANUP_FAILED',
    message: expect.stringContaining('it does not end'),
  })
  expect(done.filter((one) => one !== 'look')).toEqual(['remove web', 'refuse app', 'remove db'])
})

test('a session of copies that appears while its parent ends is ended, too', async () => {
  const { session, tools, done, add } = await openEngine([idleSession])
  const { removeNetwork } = tools.runtime
  let refused = 0
  tools.runtime.removeNetwork = async (...network) => {
    if (refused++ === 0) {
      await tools.sessions.create(child)
      add(serverOf(child.id, { networkId: 'n1' }))
    }
    return removeNetwork(...network)
  }
  await endSession(session, tools, { recheckMs: 0, inUsePauseMs: 0 })
  expect(done).toContain('remove server of 11111111')
  expect(done).toContain('remove n1')
  expect((await tools.sessions.list()).sessions).toEqual([])
})

test('a network that others use stays with its session, and the hint names the session', async () => {
  const held = {
    kind: 'held',
    holders: [],
    keeper: { machine: readMachine(), process: { pid: 1, startedAt: '' }, socket: '' },
  } as const
  const { session, tools, done } = await openEngine(
    [{ ...idleSession, lifetime: held }, stranger],
    [serverOf(stranger.id, { networkId: 'n1' })],
  )
  await expect(endSession(session, tools, { recheckMs: 0, inUsePauseMs: 0 })).rejects.toMatchObject({
    code: 'CLEANUP_FAILED',
    message: 'not everything could be removed: the network is still used',
    hint: `Run ${say('down', 'shop')} to try again; the keeper of the session does so, too.`,
  })
  expect(done).not.toContain('remove server of 22222222')
  expect(await tools.sessions.find(idleSession.id)).toBeDefined()
})

test('a session that begins after its parent has ended is removed', async () => {
  const { tools } = await openEngine([stranger])
  const keeper = { started: Promise.resolve(undefined), handOver() {}, end() {} } as unknown as Prepared['keeper']
  const wanted = { ...child, isHeld: true }
  await expect(createSession(wanted, {}, { id: child.id, change: 'c', keeper }, tools)).rejects.toMatchObject({
    code: 'NO_SESSION',
  })
  expect(await tools.sessions.find(child.id)).toBeUndefined()
})

test.skipIf(process.platform === 'win32')(
  'a lender is asked to end first, and everything else waits for it',
  async () => {
    const host = { ...currentHost(root), environment: { XDG_RUNTIME_DIR: root } }
    const socket = newLenderSocket(idleSession.id, host)
    const { session, tools, done } = await openEngine([{ ...idleSession, lender: { socket } }])
    const asked = Promise.withResolvers<Socket>()
    const claimed = await claimSocket(socket, (connection) => {
      connection.setEncoding('utf8').on('data', (line) => {
        done.push(String(line).trim())
        asked.resolve(connection)
      })
    })
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const ending = endSession(session, tools, { recheckMs: 0 })
    const connection = await asked.promise
    vi.advanceTimersByTime(1000)
    vi.useRealTimers()
    expect(done).toEqual(['{"id":1,"end":true}', 'waiting until the lender has removed its copies'])
    // It is killed.
    connection.destroy()
    await ending
    expect(done).toContain('remove n1')
    // A lender that hangs is waited for only so long; one that is dead is not waited for.
    const { signal } = new AbortController()
    await stopLender({ ...session, lender: { socket } }, signal, 1)
    claimed?.release()
    await stopLender({ ...session, lender: { socket } }, signal)
    // A socket that is not the session's lender is not asked, and would not answer.
    const other = { socket: join(root, 'other.sock') }
    const hung = createServer(() => {})
    await new Promise<void>((resolve) => hung.listen(other.socket, resolve))
    await stopLender({ ...session, lender: other }, signal)
    hung.close()
  },
)
