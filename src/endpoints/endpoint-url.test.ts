import { describe, expect, test } from 'vitest'
import type { ReadyCheck } from '../model/fleet.ts'
import { toUrl } from './endpoint-url.ts'

const at = { host: '127.0.0.1', port: 49153 }
const check = (kind: string, port: number, more: object = {}): ReadyCheck => ({ kind, port, ...more }) as ReadyCheck

describe('the URL of an endpoint', () => {
  test.each([
    ['7000/tcp', [check('http', 7000)], 'http'],
    ['7000/tcp', [check('https', 7000)], 'https'],
    ['7000/tcp', [check('tcp', 7000), check('redis', 7000, { tls: true })], 'rediss'],
    ['5432/tcp', [check('postgres', 5432)], 'postgresql'],
    ['53/udp', [check('dns', 53)], 'dns'],
    ['7000/udp', [check('http', 7000)], 'udp'],
    ['7000/tcp', [check('http', 7001)], 'tcp'],
    ['80/tcp', [], 'http'],
    ['443/tcp', [], 'https'],
    ['443/udp', [], 'udp'],
    ['9999/sctp', [], 'sctp'],
  ])('of %s with %j begins with %s', (key, checks, scheme) => {
    expect(toUrl(at, key, checks)).toBe(`${scheme}://127.0.0.1:49153`)
  })

  test('has brackets around an IPv6 address', () => {
    expect(toUrl({ host: '::1', port: 80 }, '80/tcp', [])).toBe('http://[::1]:80')
  })
})
