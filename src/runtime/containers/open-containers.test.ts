import { networkInterfaces } from 'node:os'
import { describe, expect, test } from 'vitest'
import type { ContainerDetails, PublishedPort } from '../../model/container.ts'
import type { Port } from '../../model/fleet.ts'
import { reachContainer } from './open-containers.ts'

function details(network: object | undefined, published: readonly PublishedPort[] = []): ContainerDetails {
  return { networks: network === undefined ? [] : [network], published } as unknown as ContainerDetails
}

const port = (container: number, protocol: Port['protocol'] = 'tcp'): Port => ({
  container,
  protocol,
  host: undefined,
  address: undefined,
})

const published = (container: number, address: string, host: number, protocol: Port['protocol'] = 'tcp') =>
  ({ container, protocol, address, port: host }) satisfies PublishedPort

const elsewhere = { name: 'n', networkId: 'f'.repeat(64), ip: '172.19.0.2', gateway: '172.19.0.1' }

describe('a network without a bridge on this machine', () => {
  test('has no reachable addresses: the same addresses here belong to something else', () => {
    expect(reachContainer(details(elsewhere), [], undefined).direct(80)).toBeUndefined()
    // Not even when its gateway is an address of this machine.
    const addresses = Object.values(networkInterfaces()).flatMap((one) => one ?? [])
    expect(addresses.length).toBeGreaterThan(0)
    for (const { address } of addresses) {
      const network = { ...elsewhere, ip: address, gateway: address }
      expect(reachContainer(details(network), [], undefined).direct(80)).toBeUndefined()
    }
  })

  test('has none either when the engine is on another machine or the container does not run', () => {
    expect(reachContainer(details(elsewhere), [], 'build.example').direct(80)).toBeUndefined()
    expect(reachContainer(details(elsewhere), [], 'build.example').isRemote).toBe(true)
    expect(reachContainer(details({ ...elsewhere, ip: '' }), [], undefined)).toMatchObject({ ip: '' })
    expect(reachContainer(details(undefined), [], undefined)).toMatchObject({ ip: '' })
    expect(reachContainer(details(undefined), [], undefined).direct(80)).toBeUndefined()
  })
})

describe('the endpoints', () => {
  test('are those of the requested ports, by number and protocol', () => {
    const both = [published(53, '127.0.0.1', 1001), published(53, '127.0.0.1', 1002, 'udp'), published(99, '', 1003)]
    const { endpoints, published: find } = reachContainer(
      details(elsewhere, both),
      [port(53, 'udp'), port(53), port(80)],
      undefined,
    )
    expect([...endpoints]).toEqual([
      ['53/udp', { host: '127.0.0.1', port: 1002 }],
      ['53/tcp', { host: '127.0.0.1', port: 1001 }],
    ])
    expect(find(53)).toEqual({ host: '127.0.0.1', port: 1001 })
    expect(find(99)).toBeUndefined()
  })

  test.each([
    ['127.0.0.1', undefined, '127.0.0.1'],
    ['0.0.0.0', undefined, '127.0.0.1'],
    ['::', undefined, '127.0.0.1'],
    ['0.0.0.0', 'build.example', 'build.example'],
    ['192.0.2.7', 'build.example', '192.0.2.7'],
  ])('at %s of an engine on %s are reached at %s', (address, engineHost, host) => {
    const found = reachContainer(details(elsewhere, [published(80, address, 1001)]), [port(80)], engineHost)
    expect(found.published(80)).toEqual({ host, port: 1001 })
  })
})
