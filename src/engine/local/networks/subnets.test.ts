import { describe, expect, test } from 'vitest'
import { addressIn, freeSubnets, isFree, readRoutes } from './subnets.ts'

const header = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n'
const route = (destination: string, mask: string): string =>
  `eth0\t${destination}\t00000000\t0001\t0\t0\t0\t${mask}\t0\t0\t0   \n`

describe('a subnet', () => {
  test('is not in a range that the machine has a route to', () => {
    const used = readRoutes(`${header}${route('0000000A', '000000FF')}${route('000010AC', '0000F0FF')}`)
    const [first] = freeSubnets(used)
    expect(first?.range).toMatch(/^192\.168\.\d+\.0\/24$/)
    expect(isFree({ range: '10.208.1.0/24', gateway: '10.208.1.1' }, used)).toBe(false)
    expect(isFree({ range: '192.168.1.0/24', gateway: '192.168.1.1' }, used)).toBe(true)
  })

  test('is any private one when the machine has only a default route', () => {
    const used = readRoutes(`${header}${route('00000000', '00000000')}`)
    expect(used).toEqual([])
    expect(new Set([...freeSubnets(used)].map(({ range }) => range)).size).toBe(4096 * 2 + 256)
  })

  test('excludes a single address', () => {
    const used = readRoutes(`${header}${route('050010AC', 'FFFFFFFF')}`)
    expect(isFree({ range: '172.16.0.0/24', gateway: '172.16.0.1' }, used)).toBe(false)
    expect(isFree({ range: '172.16.1.0/24', gateway: '172.16.1.1' }, used)).toBe(true)
  })

  test('counts its addresses from the gateway', () => {
    const subnet = { range: '10.208.7.0/24', gateway: '10.208.7.1' }
    expect([1, 2, 254].map((number) => addressIn(subnet, number))).toEqual(['10.208.7.1', '10.208.7.2', '10.208.7.254'])
  })

  test('is skipped when a line cannot be read', () => {
    expect(readRoutes(`${header}rubbish\n`)).toEqual([])
    expect(readRoutes('')).toEqual([])
  })
})
