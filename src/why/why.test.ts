import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { idleSession } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import { Recorder } from '../failure/recorder.ts'
import type { ContainerDetails } from '../model/container.ts'
import type { RunNote, SeenServer } from '../model/run-note.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { explainNote, explainSession } from './why.ts'

const record = {
  ...{ ...idleSession, revision: 1, writers: [], file: undefined },
  servers: { db: { container: 'now', ready: [], secrets: [], ports: [], authority: undefined } },
} as unknown as StoredRecord
const seen = (more: Partial<SeenServer>): SeenServer => ({
  ...{ server: 'db', container: 'then', state: 'running', isOutOfMemory: false, restarts: 0, answers: {}, log: [] },
  ...more,
})
const note = (more: Partial<RunNote>): RunNote => ({
  ...{ version: 1, session: 'shop', id: record.id, fleet: 'shop', endedAtMs: 1, servers: [], ...more },
})
const notReady = { code: 'READY_TIMEOUT', server: 'db', message: 'db was not ready within 1 s', output: ['end of log'] }

/** What is found for a session whose server is like this now. */
async function explain(one: RunNote | undefined, details: Partial<ContainerDetails> = {}) {
  const found = { id: 'now', state: 'running', isOutOfMemory: false, restarts: 0, endedAtMs: 0, labels: {}, ...details }
  const runtime = {
    listServers: async () => [found],
    inspectServer: async () => found,
    async *readLogs() {
      yield { stream: 'stdout', bytes: Buffer.from('a line\n') }
    },
  }
  const signal = new AbortController().signal
  const tools = { runtime, signal, recorder: new Recorder(), host: currentHost(tmpdir()) } as unknown as Tools
  return (await explainSession(record, one, tools)).causes.map(({ rule, sentence, evidence }) => ({
    ...{ rule, sentence, evidence },
  }))
}

test('a session that runs is looked at', async () => {
  expect(await explain(undefined)).toEqual([])
  expect(await explain(undefined, { state: 'exited', exitCode: 3 })).toEqual([
    { rule: 'died', sentence: 'db ended with exit code 3', evidence: ['it ended with exit code 3', 'log: a line'] },
  ])
})

test.each([
  ['has been undone', 'then'],
  ['has kept the server', 'now'],
])('a failed start that %s is explained by its note', async (_, container) => {
  const servers = [seen({ container, isReady: false, answers: { 'http /': 'status 503' } })]
  expect(await explain(note({ failure: notReady, servers }))).toEqual([
    {
      ...{ rule: 'never-ready', sentence: 'db was not ready within 1 s' },
      evidence: ['last answer of its ready check http /: status 503', 'log: end of log'],
    },
  ])
})

test('the note of another session, and one without a failure, say nothing about a session that runs', async () => {
  const servers = [seen({ state: 'exited', exitCode: 1 })]
  expect(await explain(note({ id: 'ffffffff', failure: notReady, servers }))).toEqual([])
  expect(await explain(note({ servers }))).toEqual([])
})

test('a note is explained without an engine, also when its fleet file is gone', async () => {
  const servers = [seen({ state: 'exited', exitCode: 1 })]
  const report = await explainNote(note({ servers, file: '/gone/testfleet.yaml' }), currentHost(tmpdir()))
  expect(report).toMatchObject({
    ...{ session: 'shop', fleet: 'shop', endedAt: '1970-01-01T00:00:00.001Z' },
    causes: [{ rule: 'died', file: '/gone/testfleet.yaml' }],
  })
})
