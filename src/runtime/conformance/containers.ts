import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { collect, pack, readOutput, unpack } from '../../engine/conformance/harness.ts'
import type { Harness } from './harness.ts'

/** Files, images and networks of servers that are containers. */
export function describeContainers(open: () => Harness): void {
  describe('a server in a container', () => {
    test('of an image that does not exist fails with IMAGE_NOT_FOUND', async () => {
      const { runtime, spec } = open()
      const creating = runtime.createServer(spec({ image: 'testfleet/nowhere:1' }))
      await expect(creating).rejects.toMatchObject({ code: 'IMAGE_NOT_FOUND' })
    })

    test('gets files before it starts, can be waited for, and keeps its log and files after its end', async () => {
      const { runtime, spec } = open()
      const command = ['sh', '-c', 'cat /etc/greeting; echo said >&2; echo left > /tmp/left; exit 7']
      const id = await runtime.createServer(spec({ command }))
      await runtime.deliver(id, '/etc', await pack({ greeting: 'hello\n' }))
      await runtime.startServer(id)
      expect(await runtime.waitServer(id)).toBe(7)
      expect(await runtime.inspectServer(id)).toMatchObject({ id, state: 'exited', exitCode: 7 })
      const output = await readOutput(runtime.readLogs(id, { follow: false }))
      expect(output).toEqual({ stdout: 'hello\n', stderr: 'said\n' })
      const { left } = await unpack(await runtime.fetch(id, '/tmp/left', 10_000))
      expect(left?.toString()).toBe('left\n')
      await expect(runtime.fetch(id, '/no/such', 10_000)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    test('gets and gives files while it is paused', async () => {
      const { runtime, start } = open()
      const server = await start()
      await runtime.pauseServer(server.id)
      await runtime.deliver(server.id, '/etc', Readable.from([await pack({ note: 'hello' })]))
      const { note } = await unpack(await collect(runtime.readArchive(server.id, '/etc/note')))
      expect(note?.toString()).toBe('hello')
      expect(await runtime.statPath(server.id, '/etc/note')).toEqual({ kind: 'file' })
    })

    test('can be reached at its published port, and found by it', async () => {
      const { runtime, start, sharesLoopback } = open()
      const port = { container: 8080, protocol: 'tcp', host: undefined, address: '127.0.0.1' } as const
      const server = await start({ ports: [port] })
      const { ip, isRemote, endpoints, published, direct } = runtime.reach(server, [port])
      expect(ip).toMatch(/^[\d.]+$/)
      expect(isRemote).toBe(runtime.location.remoteHost !== undefined)
      const endpoint = published(8080)
      expect([...endpoints]).toEqual([['8080/tcp', endpoint]])
      if (sharesLoopback) expect(endpoint).toEqual({ host: '127.0.0.1', port: expect.any(Number) })
      expect(published(8080, 'udp')).toBeUndefined()
      expect(direct(8080) ?? { host: ip, port: 8080 }).toEqual({ host: ip, port: 8080 })
      expect(await runtime.findPublisher(endpoint?.port ?? 0)).toMatchObject({ id: server.id })
      const failing = await runtime.createServer(open().spec({ ports: [{ ...port, host: endpoint?.port }] }))
      await expect(runtime.startServer(failing)).rejects.toMatchObject({ code: 'PORT_TAKEN' })
      await runtime.removeServer(server)
      expect(await runtime.findPublisher(endpoint?.port ?? 0)).toBeUndefined()
    })
  })
}
