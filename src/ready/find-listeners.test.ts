import { createServer } from 'node:net'
import { expect, test } from 'vitest'
import type { Runtime } from '../runtime/runtime.ts'
import { findListeners, readTables } from './find-listeners.ts'

const tcpHead = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n'
const udpHead =
  '   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n'
const row = (place: string, remote: string, state: string): string =>
  `   0: ${place} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 28456 1\n`
const zero = '0'.repeat(32)

test('reads which ports are open at which addresses', () => {
  const text = [
    tcpHead,
    row('0100007F:1F90', '00000000:0000', '0A'),
    row('00000000:0050', '00000000:0000', '0A'),
    row('0100007F:0050', '00000000:0000', '0A'),
    row('0B00007F:9D3D', '00000000:0000', '0A'),
    row('0100007F:C350', '0100007F:1F90', '01'),
    tcpHead,
    row(`${zero}:01BB`, `${zero}:0000`, '0A'),
    row('00000000000000000000000001000000:1F91', `${zero}:0000`, '0A'),
    udpHead,
    row('00000000:0035', '00000000:0000', '07'),
    row('0100007F:8235', '0100007F:0035', '01'),
    row('0500000A:0036', '00000000:0000', '07'),
  ].join('')
  expect(readTables(text)).toEqual([
    { protocol: 'udp', port: 53, isLoopback: false },
    { protocol: 'udp', port: 54, isLoopback: false, address: '10.0.0.5' },
    { protocol: 'tcp', port: 80, isLoopback: false },
    { protocol: 'tcp', port: 443, isLoopback: false, isIpv6: true },
    { protocol: 'tcp', port: 8080, isLoopback: true },
    { protocol: 'tcp', port: 8081, isLoopback: true, isIpv6: true },
  ])
  expect(readTables('')).toEqual([])
  expect(readTables('cat: /proc/net/tcp: No such file\n 0: x y z')).toEqual([])
})

test('reports a port that is open to both IPv4 and IPv6 once, as IPv4', () => {
  const text = [
    tcpHead,
    row('00000000:0050', '00000000:0000', '0A'),
    tcpHead,
    row(`${zero}:0050`, `${zero}:0000`, '0A'),
    row('0000000000000000FFFF00000100007F:0051', `${zero}:0000`, '0A'),
  ].join('')
  expect(readTables(text)).toEqual([
    { protocol: 'tcp', port: 80, isLoopback: false },
    { protocol: 'tcp', port: 81, isLoopback: true },
  ])
})

test('reads the Unix sockets that listen', () => {
  const text = [
    'Num       RefCount Protocol Flags    Type St Inode Path\n',
    '0000000000000000: 00000002 00000000 00010000 0001 01 28456 /run/app.sock\n',
    '0000000000000000: 00000003 00000000 00000000 0001 03 28457 /run/other.sock\n',
    '0000000000000000: 00000002 00000000 00000000 0002 01 28458 /dev/log\n',
    '0000000000000000: 00000003 00000000 00000000 0001 03 28459\n',
  ].join('')
  expect(readTables(text)).toEqual([{ protocol: 'unix', path: '/run/app.sock' }])
})

test.runIf(process.platform === 'linux')('reads the kernel of this machine if the image has no cat', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const runtime = (containerId: string) =>
    ({
      runtime: {
        exec: async () => Promise.reject(new Error('no such program')),
        inspectServer: async () => ({ processId: process.pid }),
      } as unknown as Runtime,
      containerId,
    }) as const
  // Every line of that file has it.
  const listeners = await findListeners(runtime(':'), new AbortController().signal)
  server.close()
  expect(listeners).toContainEqual({ protocol: 'tcp', port, isLoopback: true })
  expect(await findListeners(runtime('of another container'), new AbortController().signal)).toBeUndefined()
})

test('asks the runtime what a process listens at, and nothing else: it shares the network of this machine', async () => {
  const runtime = {
    exec: async () => Promise.reject(new Error('asked for the whole machine')),
    readSocketTables: async (id: string) => `${tcpHead}${row('0200007F:1F90', '00000000:0000', '0A')}${id}\n`,
  } as unknown as Runtime
  const { signal } = new AbortController()
  expect(await findListeners({ runtime, containerId: 'process-1' }, signal)).toEqual([
    { protocol: 'tcp', port: 8080, isLoopback: true, address: '127.0.0.2' },
  ])
  const { exec } = runtime
  expect(await findListeners({ runtime: { exec } as Runtime, containerId: 'process-1' }, signal)).toBeUndefined()
})
