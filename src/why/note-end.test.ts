import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { idleSession } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import type { ContainerDetails, ContainerState, ContainerSummary } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { ServerRecord } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { sealSecrets } from '../servers/secrets.ts'
import { endSession } from '../sessions/end.ts'
import type { SessionStore, StoredRecord } from '../sessions/store.ts'
import type { SessionNotes } from '../sessions/tools.ts'
import { noteEnd } from './note-end.ts'
import { nameOfNote, notesFolder } from './note-file.ts'
import { readNotes } from './notes.ts'

let host: Host
let state: string
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'testfleet-note-end-'))
  host = { ...currentHost(tmpdir()), environment: { TESTFLEET_STATE_DIR: state } }
})
afterEach(() => rm(state, { recursive: true }))

const spec = {
  ...{ hostname: 'x', aliases: [], dependsOn: [], ports: [], ready: [], readyTimeoutMs: 1, export: {} },
  ...{ secrets: [], authority: undefined },
}
const recordOf = (servers: Readonly<Record<string, Partial<ServerRecord>>>): StoredRecord => ({
  ...{ ...idleSession, revision: 1, writers: [] },
  servers: Object.fromEntries(
    Object.entries(servers).map(([name, more]) => [name, { ...spec, container: name, ...more } as ServerRecord]),
  ),
})
const container = (id: string, containerState: ContainerState): ContainerSummary =>
  ({ id, name: id, state: containerState, labels: {} }) as unknown as ContainerSummary

function runtimeOf(details: Partial<ContainerDetails>, log = '') {
  const inspectServer = vi.fn(async (id: string) => ({
    ...{ id, state: 'exited', exitCode: 3, isOutOfMemory: false, memoryBytes: undefined, restarts: 0, endedAtMs: 1 },
    ...details,
  }))
  const runtime = {
    inspectServer,
    async *readLogs() {
      yield { stream: 'stdout', bytes: Buffer.from(log) }
    },
    async fetch() {
      throw new TestfleetError('ENGINE_REFUSED', 'no')
    },
  }
  return { runtime: runtime as unknown as Runtime, inspectServer }
}

test('the note of a session has the server that ended, with its log', async () => {
  const record = recordOf({ db: {}, web: {} })
  const { runtime, inspectServer } = runtimeOf({}, 'one\ntwo\n')
  await noteEnd(record, [container('db', 'exited'), container('web', 'running')], { runtime, host })
  expect(await readNotes({ session: 'shop' }, host)).toMatchObject([
    { file: record.file, servers: [{ server: 'db', exitCode: 3, log: ['one', 'two'] }] },
  ])
  expect(inspectServer).toHaveBeenCalledTimes(1)
  await noteEnd(record, [container('db', 'exited')], { runtime, host })
  expect(inspectServer).toHaveBeenCalledTimes(1)
})

test('a server that has completed is inspected, and not noted', async () => {
  const { runtime } = runtimeOf({ exitCode: 0 })
  const record = recordOf({ job: { ready: [{ kind: 'exit', code: 0 }] } })
  await noteEnd(record, [container('job', 'exited')], { runtime, host })
  expect(await readNotes({ session: 'shop' }, host)).toEqual([])
})

test('secrets are masked in a note, and without them no log is written', async () => {
  const secret = 'kX92hd8Qz17Lw'
  const sealed = await sealSecrets(new Map([['password', secret]]), 'db', host)
  const { runtime } = runtimeOf({}, `password is ${secret}\n`)
  const record = recordOf({ db: { secrets: ['password'], sealed } })
  await noteEnd(record, [container('db', 'exited')], { runtime, host })
  const path = join(notesFolder(host), nameOfNote(record))
  const text = await readFile(path, 'utf8')
  expect(text).toContain('password is ***')
  expect(text).not.toContain(secret)

  await rm(path)
  await noteEnd(recordOf({ db: { secrets: ['password'] } }), [container('db', 'exited')], { runtime, host })
  expect(await readNotes({ session: 'shop' }, host)).toMatchObject([{ servers: [{ server: 'db', log: [] }] }])
})

test('the end of a session asks for a note only when a server has ended that should run', async () => {
  const noted: string[] = []
  const notes: SessionNotes = {
    stateFolder: state,
    async noteEnd(_, servers) {
      noted.push(...servers.map(({ id, state: one }) => `${id} ${one}`))
      throw new Error('the disk is full')
    },
  }
  const end = async (record: StoredRecord, ...found: ContainerSummary[]): Promise<string[]> => {
    let left = found
    const runtime = {
      observe: async () => ({ servers: left, networks: [], volumes: [] }),
      async removeServer() {
        left = []
      },
      listSavedImages: async () => [],
      listServers: async () => [],
    } as unknown as Runtime
    const sessions = { list: async () => ({ sessions: [] }), remove: async () => {} } as unknown as SessionStore
    const tools = { runtime, sessions, onEvent() {}, signal: new AbortController().signal, notes }
    await endSession(record, tools, { recheckMs: 0 })
    return noted.splice(0)
  }
  expect(await end(recordOf({ db: {} }), container('db', 'exited'))).toEqual(['db exited'])
  expect(await end(recordOf({ db: {} }), container('db', 'running'))).toEqual([])
  expect(await end(recordOf({ db: { isStopped: true } }), container('db', 'exited'))).toEqual([])
  const job = recordOf({ job: { ready: [{ kind: 'exit', code: 0 }] } })
  expect(await end(job, container('job', 'exited'))).toEqual([])
  expect(await end({ ...recordOf({ db: {} }), parent: '0a1b2c3e' }, container('db', 'exited'))).toEqual([])
  expect(await end({ ...recordOf({ db: {} }), isStandby: true }, container('db', 'exited'))).toEqual([])
})
