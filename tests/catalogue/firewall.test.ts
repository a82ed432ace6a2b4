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

test('opens one port, to the network and to the host', async () => {
  expect((await connect('7001', '-N')).stdout).toBe('hello\n')
  const datagram = await session.clientWith('hello\n', 'nc', '-u', '-w', '2', 'firewall', '7001')
  expect(datagram.stdout).toBe('hello\n')
  const { host, port } = session.published('firewall', '7001/tcp')
  const fromHost = await session.fromHost('sh', '-c', 'echo hello | nc -w 2 -N "$0" "$1"', host, port)
  expect(fromHost.stdout).toBe('hello\n')
})

test('resets connections to another', async () => {
  expect((await connect('7002', '-N')).stderr).toContain('Connection refused')
})

test('says nothing at a third', async () => {
  expect((await connect('7003', '-N')).stderr).toContain('timed out')
  expect((await connect('7003', '-u')).stdout).toBe('')
})

test('says that a fourth is forbidden', async () => {
  expect((await connect('7004', '-N')).stderr).toContain('No route to host')
})

test('has the four at other ports, when it is asked to', async () => {
  const ask = (port: string) => session.clientWith('hello\n', 'nc', '-v', '-w', '2', '-N', 'own', port)
  expect((await ask('8001')).stdout).toBe('hello\n')
  expect((await ask('8002')).stderr).toContain('Connection refused')
  expect((await ask('85')).stderr).toContain('timed out')
  expect((await ask('8004')).stderr).toContain('No route to host')
  expect((await ask('7001')).stderr).toContain('Connection refused')
})

test('serves as nobody, without the right to change its rules', async () => {
  const status = await session.fleet.done(['exec', 'firewall', '--', 'cat', '/proc/1/status'])
  expect(status.stdout).toMatch(/^Uid:\t65534\t65534\t65534\t65534$/m)
  expect(status.stdout).toMatch(/^CapEff:\t0000000000000000$/m)
})

test('is not ready while it does not answer', async () => {
  expect(await session.answerWhilePaused('firewall')).toMatch(/^tcp :7001: /)
})
