import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { Harness } from './harness.ts'

/** Tests pulls that fail, without a registry. */
export function describePulls(open: () => Harness, sharesLoopback: boolean): void {
  describe('a pull', () => {
    test('of an unreachable image fails with a reason and a hint', async () => {
      const pulling = open().engine.pullImage('127.0.0.1:1/testfleet/nowhere:1', {})
      const failure = { code: 'PULL_FAILED', message: expect.stringContaining('refused'), hint: expect.any(String) }
      await expect(pulling).rejects.toMatchObject(failure)
    })

    test.runIf(sharesLoopback)('ends when it is aborted', async () => {
      const sockets: Socket[] = []
      const registry = createServer((socket) => void sockets.push(socket)).listen(0, '127.0.0.1')
      await once(registry, 'listening')
      const { port } = registry.address() as AddressInfo
      const abort = new AbortController()
      const pulling = open().engine.pullImage(`127.0.0.1:${port}/testfleet/slow:1`, {}, { signal: abort.signal })
      const settled = expect(pulling).rejects.toThrow('enough')
      await once(registry, 'connection')
      abort.abort(new Error('enough'))
      await settled
      for (const socket of sockets) socket.destroy()
      registry.close()
    })
  })
}
