import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { attach, detach, leave } from '../../src/engine/local/networks/attach.ts'
import { bridgeOf } from '../../src/engine/local/networks/bridge.ts'
import { hostsPath } from '../../src/engine/local/networks/hosts.ts'
import type { Attachment } from '../../src/engine/local/types.ts'
import { SOON_MS } from '../support/command.ts'
import {
  canMakeNetworks,
  type LocalNetworks,
  leftOf,
  openNetworks,
  run,
  tcpServer,
  udpServer,
} from '../support/local-network.ts'

const port = (container: number, address = '127.0.0.1', host?: number, protocol: 'tcp' | 'udp' = 'tcp') => ({
  ports: [{ container, protocol, address, host }],
})

describe.runIf(canMakeNetworks())('networks of the local engine', () => {
  let networks: LocalNetworks
  beforeEach(() => {
    networks = openNetworks()
  })
  afterEach(async () => {
    const made = await networks.close()
    // The kernel removes the interfaces of a namespace a moment after it.
    await vi.waitFor(() => expect(leftOf(made)).toEqual([]), SOON_MS)
  })

  const create = (name: string) => networks.verbs.createNetwork(name, {})
  const publishedAt = ({ published }: Attachment): number => published[0]?.port ?? 0

  test('connect servers with each other and with the host, each at its own address', async () => {
    await create('shop')
    const [one, two] = [await networks.connect('shop'), await networks.connect('shop')]
    await networks.serve(one, tcpServer(80))
    expect(await hear(one.attachment.ip, 80)).toBe(`from ${one.attachment.gateway}`)
    expect(hearFrom(two.attachment, one.attachment.ip, 80)).toBe(`from ${two.attachment.ip}`)
  })

  test('of two sessions do not reach each other', async () => {
    await Promise.all([create('shop'), create('bank')])
    const [shop, bank] = [await networks.connect('shop'), await networks.connect('bank')]
    await networks.serve(bank, tcpServer(80))
    expect(await hear(bank.attachment.ip, 80)).toMatch(/^from/)
    expect(hearFrom(shop.attachment, bank.attachment.ip, 80)).toBe('nothing')
  })

  test('do not lead to the loopback of the host, even when a server routes its own there', async () => {
    await create('shop')
    const { attachment } = await networks.connect('shop', port(80))
    const secret = createServer((socket) => socket.end('secret')).listen(0, '127.0.0.1')
    await once(secret, 'listening')
    const { port: secretPort } = secret.address() as AddressInfo
    const inside = (...words: string[]) => run('nsenter', `--net=${attachment.namespace}`, ...words)
    inside('sysctl', '-qw', 'net.ipv4.conf.all.route_localnet=1')
    inside('ip', 'route', 'add', '127.0.0.1', 'via', attachment.gateway, 'table', '100')
    inside('ip', 'rule', 'add', 'pref', '0', 'lookup', '100')
    inside('ip', 'rule', 'del', 'pref', '0', 'lookup', 'local')
    expect(hearFrom(attachment, '127.0.0.1', secretPort)).toBe('nothing')
    expect(hearFrom(attachment, attachment.gateway, secretPort)).toBe('nothing')
    secret.close()
  })

  test('have ranges that do not overlap when 12 are created at once, by two stores', async () => {
    const other = openNetworks()
    try {
      const names = Array.from({ length: 6 }, (_, at) => `net${at}`)
      await Promise.all([networks, other].flatMap(({ verbs }) => names.map((name) => verbs.createNetwork(name, {}))))
      const all = await Promise.all([networks, other].flatMap((some) => names.map((name) => some.connect(name))))
      expect(new Set(all.map(({ attachment }) => attachment.gateway)).size).toBe(12)
    } finally {
      await other.close()
    }
  })

  test('accept 30 servers at once, with all names in the hosts file of each', async () => {
    const id = await create('shop')
    const all = await Promise.all(
      Array.from({ length: 30 }, (_, at) =>
        networks.connect('shop', { network: { name: 'shop', aliases: [`server${at}.shop.test`] } }),
      ),
    )
    expect(new Set(all.map(({ attachment }) => attachment.ip)).size).toBe(30)
    for (const server of all) {
      const text = readFileSync(hostsPath(networks.local, server.id), 'utf8')
      for (const [at, { attachment }] of all.entries()) {
        // Twice would be two addresses for a program that asks for its own.
        const isOfServer = (line: string) =>
          line.startsWith(`${attachment.ip}\t`) && line.includes(`server${at}.shop.test `)
        expect(text.split('\n').filter(isOfServer)).toHaveLength(1)
      }
    }
    await expect(networks.verbs.removeNetwork(id)).rejects.toMatchObject({
      code: 'ENGINE_REFUSED',
      message: expect.stringMatching(/^the network shop is still used by the containers /),
    })
  })

  test('forget the names of a server that has ended, and know it again with its address when it is back', async () => {
    await create('shop')
    const aliases = { network: { name: 'shop', aliases: ['db.shop.test'] } }
    const [one, two] = [await networks.connect('shop'), await networks.connect('shop', aliases)]
    const names = (): string => readFileSync(hostsPath(networks.local, one.id), 'utf8')
    const line = new RegExp(`^${two.attachment.ip.replaceAll('.', '\\.')}\\tdb\\.shop\\.test `, 'm')
    expect(names()).toMatch(line)
    await leave(networks.local, two.id)
    expect(names()).not.toMatch(line)
    const again = await attach(networks.local, two)
    expect(again.attachment.ip).toBe(two.attachment.ip)
    expect(names()).toMatch(line)
    again.release()
  })

  test.runIf(run('dnsmasq', '--version').status === 0)('answer names to programs that ask a name server', async () => {
    await create('shop')
    const { id, attachment } = await networks.connect('shop', { network: { name: 'shop', aliases: ['web.shop.test'] } })
    const resolver = new Resolver({ timeout: SOON_MS, tries: 1 })
    resolver.setServers([attachment.gateway])
    const file = networks.local.store.path('containers', id, 'resolv.conf')
    expect(readFileSync(file, 'utf8')).toContain(`nameserver ${attachment.gateway}\n`)
    await vi.waitFor(async () => expect(await resolver.resolve4('web.shop.test')).toEqual([attachment.ip]), SOON_MS)
    await expect(resolver.resolve6('web.shop.test')).rejects.toMatchObject({ code: 'ENODATA' })
    await leave(networks.local, id)
    await vi.waitFor(() => expect(resolver.resolve4('web.shop.test')).rejects.toThrow(), SOON_MS)
  })

  test('publish a port at the loopback only, for 100 connections at once', async () => {
    await create('shop')
    const server = await networks.connect('shop', port(80))
    await networks.serve(server, tcpServer(80))
    const at = publishedAt(server.attachment)
    const heard = await Promise.all(Array.from({ length: 100 }, () => hear('127.0.0.1', at)))
    expect(heard).toEqual(Array(100).fill(`from ${server.attachment.gateway}`))
    for (const address of ownAddresses()) expect(await hear(address, at)).toBe('nothing')
    server.release()
  })

  test('publish a port at all addresses, which other servers and the server itself reach, too', async () => {
    await Promise.all([create('shop'), create('bank')])
    const server = await networks.connect('shop', port(80, '0.0.0.0'))
    const [same, other] = [await networks.connect('shop'), await networks.connect('bank')]
    await networks.serve(server, tcpServer(80))
    const { gateway } = server.attachment
    const at = publishedAt(server.attachment)
    for (const address of ['127.0.0.1', gateway, ...ownAddresses()]) expect(await hear(address, at)).toMatch(/^from/)
    for (const { attachment } of [server, same, other]) expect(hearFrom(attachment, gateway, at)).toMatch(/^from/)
    server.release()
  })

  test('publish UDP', async () => {
    await create('shop')
    const server = await networks.connect('shop', port(53, '127.0.0.1', undefined, 'udp'))
    await networks.serve(server, udpServer(53))
    const client = createSocket('udp4')
    client.send('hello', publishedAt(server.attachment), '127.0.0.1')
    const [said] = await once(client, 'message', { signal: AbortSignal.timeout(SOON_MS) })
    expect(String(said)).toBe('echo hello')
    client.close()
    server.release()
  })

  test.each(['tcp', 'udp'] as const)(
    'refuse a port (%s) that is taken, and leave nothing of that start',
    async (protocol) => {
      await create('shop')
      const first = await networks.connect('shop', port(80, '127.0.0.1', undefined, protocol))
      const taken = publishedAt(first.attachment)
      const second = await networks.create('shop', port(80, '127.0.0.1', taken, protocol))
      const failure = { code: 'PORT_TAKEN', message: `the port is already taken: 127.0.0.1:${taken}` }
      await expect(attach(networks.local, second)).rejects.toMatchObject(failure)
      expect(leftOf([second.id.slice(0, 16), `tv${second.id.slice(0, 7)}`])).toEqual([])
      first.release()
      await detach(networks.local, first.id)
      const third = await attach(networks.local, second)
      expect(publishedAt(third.attachment)).toBe(taken)
      third.release()
    },
  )

  test('refuse to publish at an IPv6 address, with the reason', async () => {
    await create('shop')
    await expect(networks.connect('shop', port(80, '::1'))).rejects.toMatchObject({
      code: 'START_FAILED',
      message: expect.stringContaining('have no IPv6 addresses'),
    })
  })

  test('do not redirect a port any longer after the words for the end of the server', async () => {
    await create('shop')
    const server = await networks.connect('shop', port(80))
    await networks.serve(server, tcpServer(80))
    const at = publishedAt(server.attachment)
    expect(await hear('127.0.0.1', at)).toMatch(/^from/)
    server.release()
    const [program = '', ...words] = server.onExit ?? []
    expect(run(program, ...words).status).toBe(0)
    expect(await hear('127.0.0.1', at)).toBe('nothing')
  })

  test('are made again after a restart of the machine, and can be removed after one', async () => {
    const id = await create('shop')
    const [one, two] = [await networks.connect('shop'), await networks.connect('shop')]
    for (const { attachment } of [one, two]) run('ip', 'netns', 'delete', attachment.namespace.split('/').at(-1) ?? '')
    run('ip', 'link', 'delete', bridgeOf(id))
    run('nft', 'delete', 'table', 'inet', `testfleet_${bridgeOf(id)}`)
    const again = await attach(networks.local, one)
    expect(again.attachment.ip.split('.').at(-1)).toBe(one.attachment.ip.split('.').at(-1))
    await networks.serve(again, tcpServer(80))
    expect(await hear(again.attachment.ip, 80)).toMatch(/^from/)
    await detach(networks.local, two.id)
    await detach(networks.local, two.id)
  })

  test('leave nothing behind when a start is aborted at any moment', async () => {
    await create('shop')
    for (const delayMs of [0, 1, 2, 4, 8, 16]) {
      const record = await networks.create('shop', port(80))
      const signal = AbortSignal.timeout(delayMs)
      await attach(networks.local, record, { signal }).then(
        (attached) => attached.release(),
        (error) => expect(error).toMatchObject({ name: 'TimeoutError' }),
      )
      await detach(networks.local, record.id)
      expect(leftOf([record.id.slice(0, 16)])).toEqual([])
    }
  })
})

function ownAddresses(): readonly string[] {
  return Object.entries(networkInterfaces()).flatMap(([name, addresses = []]) =>
    name.startsWith('tf') || name === 'lo'
      ? []
      : addresses.filter(({ family }) => family === 'IPv4').map(({ address }) => address),
  )
}

/** What a server says; `nothing` when it refuses. */
async function hear(host: string, port: number): Promise<string> {
  const socket = connect(port, host)
  const end = setTimeout(SOON_MS).then(() => socket.destroy())
  end.catch(() => {})
  let said = ''
  try {
    for await (const chunk of socket) said += chunk
  } catch {
    return 'nothing'
  }
  return said || 'nothing'
}

/** What a server says to a client in the network; `nothing` when it refuses, or does not answer in a second. */
function hearFrom({ namespace }: Attachment, host: string, port: number): string {
  const script = `const s = require('node:net').connect(${port}, '${host}'); s.on('data', (d) => process.stdout.write(d));
    s.on('error', () => process.exit()); s.setTimeout(1000, () => process.exit())`
  return run('nsenter', `--net=${namespace}`, process.execPath, '-e', script).stdout || 'nothing'
}
