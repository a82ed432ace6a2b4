import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { describe, expect, test } from 'vitest'
import type { PortBinding } from '../../model/container.ts'
import { type Harness, readUntil } from './harness.ts'

/** Sends `hello` to every client. */
const server = [
  'perl',
  '-MIO::Socket::INET',
  '-e',
  `
  $| = 1; $s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die; print "listening\\n";
  while ($c = $s->accept) { print $c "hello"; close $c }`,
]

export function describePorts(open: () => Harness, sharesLoopback: boolean): void {
  const port = (host: number | undefined): PortBinding => ({
    container: 8080,
    protocol: 'tcp',
    host,
    address: '127.0.0.1',
  })

  describe('a port', () => {
    let publishing: Promise<string> | undefined
    /** A container with the server, until the last test stops it. */
    const publisher = (): Promise<string> => {
      publishing ??= open().start({ command: server, ports: [port(undefined)] })
      return publishing
    }

    test.runIf(sharesLoopback)('is published at a free port of the loopback, and answers there', async () => {
      const { engine } = open()
      const id = await publisher()
      await readUntil(engine.readLogs(id, { follow: true }), 'listening')
      const { published } = await engine.inspectContainer(id)
      expect(published).toEqual([{ container: 8080, protocol: 'tcp', address: '127.0.0.1', port: expect.any(Number) }])
      expect(await hear(published[0]?.port ?? 0)).toBe('hello')
    })

    test('leads to the container that publishes it', async () => {
      const { engine } = open()
      const id = await publisher()
      const { published } = await engine.inspectContainer(id)
      const holders = await engine.listContainersPublishing(published[0]?.port ?? 0)
      expect(holders.map((holder) => holder.id)).toEqual([id])
    })

    test('that another container uses fails with PORT_TAKEN', async () => {
      const { engine, spec } = open()
      const { published } = await engine.inspectContainer(await publisher())
      const taken = published[0]?.port ?? 0
      const second = await engine.createContainer(spec({ ports: [port(taken)] }))
      const failure = { code: 'PORT_TAKEN', message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${taken}$`)) }
      await expect(engine.startContainer(second)).rejects.toMatchObject(failure)
    })

    test.runIf(sharesLoopback)('that a process uses fails with PORT_TAKEN', async () => {
      const { engine, spec } = open()
      const holder = createServer().listen(0, '127.0.0.1')
      await once(holder, 'listening')
      try {
        const taken = (holder.address() as AddressInfo).port
        const id = await engine.createContainer(spec({ ports: [port(taken)] }))
        const failure = { code: 'PORT_TAKEN', message: expect.stringMatching(new RegExp(`127\\.0\\.0\\.1:${taken}$`)) }
        await expect(engine.startContainer(id)).rejects.toMatchObject(failure)
      } finally {
        holder.close()
      }
    })

    test('is no longer published once the container has ended', async () => {
      const { engine } = open()
      const id = await publisher()
      await engine.stopContainer(id, 0)
      expect((await engine.inspectContainer(id)).published).toEqual([])
    })
  })
}

async function hear(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let said = ''
  for await (const chunk of socket) said += chunk
  return said
}
