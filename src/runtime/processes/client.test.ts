import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { watchSockets } from '../../../tests/support/open-sockets.ts'
import { ask, watch } from './client.ts'
import { socketOf } from './server-folder.ts'

let folder: string
/** A supervisor that never answers, as one does whose server runs on. */
const supervisor = createServer((socket) => socket.on('error', () => {}).resume())

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-supervisor-'))
  await new Promise<void>((resolve) => supervisor.listen(socketOf(folder), resolve))
})

afterAll(async () => {
  supervisor.close()
  await rm(folder, { recursive: true, force: true })
})

describe.runIf(process.platform === 'linux')(
  'a supervisor is not waited for any more, and the connection closed,',
  () => {
    const waits = {
      'for its answer': (signal: AbortSignal) => ask(folder, { do: 'wait' }, { signal, timeoutMs: 0 }),
      'for more output': (signal: AbortSignal) => watch(folder, { signal }).next(),
    }
    for (const [name, wait] of Object.entries(waits))
      for (const turns of [0, 1, 2, 3, 20])
        test(`${name}, when the signal fires ${turns} turns after the call`, async () => {
          using sockets = watchSockets()
          const stop = new AbortController()
          const waiting = wait(stop.signal)
          for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
          stop.abort(new Error('enough'))
          await expect(waiting).rejects.toThrow('enough')
          await expect.poll(() => sockets.countOpen(), { interval: 5 }).toEqual({ tcp: 0, others: 0 })
        })
  },
)
