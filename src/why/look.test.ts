import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import { Recorder } from '../failure/recorder.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { SeenServer } from '../model/run-note.ts'
import type { ObservedServer } from '../report/report.ts'
import { sealSecrets } from '../servers/secrets.ts'
import { addLogs, type LookTools } from './look.ts'

let host: Host
let state: string
beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'testfleet-look-'))
  host = { ...currentHost(tmpdir()), environment: { TESTFLEET_STATE_DIR: state } }
})
afterEach(() => rm(state, { recursive: true }))

const secret = 'kX92hd8Qz17Lw'
const observed = (sealed?: string): ObservedServer =>
  ({
    ...{ name: 'db', container: { id: 'db', state: 'running', labels: {} } },
    spec: { ready: [], secrets: ['password'], sealed, ports: [], authority: undefined },
  }) as unknown as ObservedServer
const seen = (server: string): SeenServer => ({
  ...{ server, container: server, state: 'running', isOutOfMemory: false, restarts: 0, log: [] },
  answers: { 'http /': `status 503: no ${secret}` },
})
// The failure of a start that shows the log of its server, as with `up --keep`: no log is to be read.
const failure = { code: 'READY_TIMEOUT', server: 'db', message: 'db was not ready', output: ['end of log'] }

test('the answers of all servers are masked, whether or not a log is read', async () => {
  const runtime = {
    async fetch() {
      throw new TestfleetError('ENGINE_REFUSED', 'no')
    },
  }
  const tools = { runtime, host, recorder: new Recorder() } as unknown as LookTools
  const { signal } = new AbortController()
  const answersOf = async (sealed?: string) => {
    const servers = [{ ...seen('db'), isReady: false }, seen('web')]
    return (await addLogs({ failure, servers }, [observed(sealed)], tools, signal)).map(({ answers }) => answers)
  }
  const masked = { 'http /': 'status 503: no ***' }
  expect(await answersOf(await sealSecrets(new Map([['password', secret]]), 'db', host))).toEqual([masked, masked])
  // Its secrets cannot be read, and so not be masked.
  expect(await answersOf()).toEqual([{}, {}])
})
