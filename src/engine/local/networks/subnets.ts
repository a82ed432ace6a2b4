import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'

/** A range of IPv4 addresses, as numbers. */
interface Range {
  readonly first: number
  readonly last: number
}

/** Address range of a network: 256 addresses, the first of which is the gateway's. */
export interface Subnet {
  /** Such as `10.208.7.0/24`. */
  readonly range: string
  readonly gateway: string
}

/** Private ranges, of which each network gets 256 addresses. Engines of containers rarely use the first. */
const pools: readonly (readonly [string, number])[] = [
  ['10.208.0.0', 12],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
]

const SIZE = 256

/** Yields subnets that nothing on this machine uses now, in random order within each pool. */
export function* freeSubnets(used: readonly Range[]): Generator<Subnet> {
  for (const [base, bits] of pools) {
    const first = toNumber(base)
    const count = 2 ** (32 - bits) / SIZE
    const start = Math.floor(Math.random() * count)
    for (let index = 0; index < count; index++) {
      const at = first + ((start + index) % count) * SIZE
      if (!used.some((range) => range.first < at + SIZE && range.last >= at)) yield subnetAt(at)
    }
  }
}

export function isFree({ gateway }: Subnet, used: readonly Range[]): boolean {
  const at = toNumber(gateway) - 1
  return !used.some((range) => range.first < at + SIZE && range.last >= at)
}

/** Returns the address with this number in a subnet; the gateway is 1. */
export function addressIn({ gateway }: Subnet, number: number): string {
  return toText(toNumber(gateway) - 1 + number)
}

/** Numbers that a container can get. */
export const addressNumbers = { first: 2, last: SIZE - 2 } as const

/** Reads which addresses this machine has or has a route to, except the default route. */
export async function readUsedRanges(): Promise<readonly Range[]> {
  const own = Object.values(networkInterfaces()).flatMap((addresses = []) =>
    addresses.flatMap(({ family, address, netmask }) =>
      family === 'IPv4' ? [rangeOf(toNumber(address), toNumber(netmask))] : [],
    ),
  )
  const routes = await readFile('/proc/net/route', 'utf8').catch(() => '')
  return [...own, ...readRoutes(routes)]
}

/** Reads `/proc/net/route`, whose addresses have their bytes in reverse order. */
export function readRoutes(text: string): readonly Range[] {
  return text
    .trim()
    .split('\n')
    .slice(1)
    .flatMap((line) => {
      const fields = line.trim().split(/\s+/)
      const [address, mask] = [fromKernel(fields[1] ?? ''), fromKernel(fields[7] ?? '')]
      return mask === 0 || Number.isNaN(address + mask) ? [] : [rangeOf(address, mask)]
    })
}

function fromKernel(hex: string): number {
  return /^[0-9A-F]{8}$/i.test(hex) ? Buffer.from(hex, 'hex').readUInt32LE() : Number.NaN
}

function rangeOf(address: number, mask: number): Range {
  const size = 2 ** 32 - mask
  const first = address - (address % size)
  return { first, last: first + size - 1 }
}

function subnetAt(first: number): Subnet {
  return { range: `${toText(first)}/24`, gateway: toText(first + 1) }
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)
}

function toText(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.')
}
