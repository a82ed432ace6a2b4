import { expect, test } from 'vitest'
import { TestfleetError } from '../model/failures.ts'
import { awaitReady } from './report.ts'

type Arguments = Parameters<typeof awaitReady>

test('a server is not ready while another program listens at its port', async () => {
  const asked: string[] = []
  const runtime = {
    reach: () => ({}),
    waitServer: () => new Promise(() => {}),
    inspectServer: async () => ({ isRestarting: false }),
    async confirmPorts(id: string) {
      asked.push(id)
      throw new TestfleetError('PORT_TAKEN', 'the port is already taken', { hint: 'End it.' })
    },
  }
  const spec = { ready: [], readyTimeoutMs: 60_000, ports: [], hostname: 'app' }
  const ready = awaitReady(
    { server: 'app', container: 'process-1', spec } as unknown as Arguments[0],
    { id: 'process-1' } as Arguments[1],
    { runtime, host: {} } as unknown as Arguments[2],
    new AbortController().signal,
  )
  const failure = { code: 'PORT_TAKEN', message: 'app: the port is already taken', server: 'app', hint: 'End it.' }
  await expect(ready).rejects.toMatchObject(failure)
  expect(asked).toEqual(['process-1'])
})
