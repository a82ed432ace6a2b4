import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openConnection } from './connection.ts'

test('a request without a deadline ends with its signal, also when that fires while the engine is dialled', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'testfleet-engine-'))
  const path = join(folder, 'socket')
  // It never answers.
  const engine = createServer(() => {})
  await new Promise<void>((resolve) => engine.listen(path, resolve))
  const connection = openConnection({ kind: 'socket', path })
  try {
    for (const turns of [0, 1, 2, 20]) {
      const stop = new AbortController()
      const waiting = connection.send({
        method: 'POST',
        path: '/containers/x/wait',
        headers: {},
        body: undefined,
        timeoutCovers: 'body',
        usesOwnConnection: true,
        signal: stop.signal,
        timeoutMs: undefined,
        pingWatch: undefined,
        timeoutFailure: () => expect.unreachable(),
        explainBreak: (error) => error as never,
      })
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve))
      stop.abort(new Error('enough'))
      await expect(waiting).rejects.toThrow('enough')
    }
  } finally {
    connection.close()
    engine.closeAllConnections()
    engine.close()
    await rm(folder, { recursive: true, force: true })
  }
})
