import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CatalogueSession, startCatalogue } from '../support/catalogue.ts'

let session: CatalogueSession

beforeAll(async () => {
  session = await startCatalogue({
    firewall: { preset: 'firewall' },
    own: { preset: 'firewall', options: { open: 8001, reset: 8002, drop: 85, prohibit: 8004 } },
  })
})

afterAll(() => session.end())

const connect = (port: string, ...words: string[]) =>
  session.clientWith('hello\n', 'nc', '-v', '-w', '2', ...words, 'firewall', port)

test('accepts connections on one port, from the network and from the host', async () => {
  expect((await connect('7001', '-N')).stdout).toBe('hello\n')
  const datagram = await session.clientWith('hello\n', 'nc', '-u', '-w', '2', 'firewall', '7001')
  expect(datagram.stdout).toBe('hello\n')
  const { host, port } = session.published('firewall', '7001/tcp')
  const fromHost = await session.fromHost('sh', '-c', 'echo hello | nc -w 2 -N "$0" "$1"', host, port)
  expect(fromHost.stdout).toBe('hello\n')
})

test('resets connections on a second port', async () => {
  expect((await connect('7002', '-N')).stderr).toContain('Connection refused')
})

test('drops packets on a third port', async () => {
  expect((await connect('7003', '-N')).stderr).toContain('timed out')
  expect((await connect('7003', '-u')).stdout).toBe('')
})

test('rejects packets on a fourth port as forbidden', async () => {
  expect((await connect('7004', '-N')).stderr).toContain('No route to host')
})

test('uses the port numbers of its options', async () => {
  const ask = (port: string) => session.clientWith('hello\n', 'nc', '-v', '-w', '2', '-N', 'own', port)
  expect((await ask('8001')).stdout).toBe('hello\n')
  expect((await ask('8002')).stderr).toContain('Connection refused')
  expect((await ask('85')).stderr).toContain('timed out')
  expect((await ask('8004')).stderr).toContain('No route to host')
  expect((await ask('7001')).stderr).toContain('Connection refused')
})

test('runs as nobody, without the right to change its rules', async () => {
  const status = await session.fleet.done(['exec', 'firewall', '--', 'cat', '/proc/1/status'])
  expect(status.stdout).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m)
  expect(status.stdout).toMatch(/^CapEff:\t0000000000000000$/m)
})

test('does not pass its ready check while it is paused', async () => {
  expect(await session.answerWhilePaused('firewall')).toMatch(/^tcp :7001: /)
})
