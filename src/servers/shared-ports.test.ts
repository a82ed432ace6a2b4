import { expect, test } from 'vitest'
import type { PortBinding } from '../model/container.ts'
import { TestfleetError } from '../model/failures.ts'
import { shareNumbers, startWithNumbers } from './shared-ports.ts'

const bind = (container: number, rest: Partial<PortBinding> = {}): PortBinding => {
  return { container, protocol: 'tcp', address: '127.0.0.1', host: undefined, ...rest }
}
const dns = [bind(53), bind(53, { protocol: 'udp' }), bind(853)]

test('a port with two protocols or addresses gets one number; the engine chooses every other number', () => {
  expect(shareNumbers(dns, () => 20_001).map(({ host }) => host)).toEqual([20_001, 20_001, undefined])
  const both = [bind(80), bind(80, { address: '::1' })]
  expect(shareNumbers(both, () => 20_001).map(({ host }) => host)).toEqual([20_001, 20_001])
})

test('a number in the fleet file is kept, and not chosen for another port', () => {
  const numbers = [20_001, 20_002]
  const ports = [
    bind(80, { host: 20_001 }),
    bind(53, { host: 5353 }),
    bind(53, { protocol: 'udp' }),
    ...dns.slice(0, 2),
  ]
  expect(shareNumbers(ports, () => numbers.shift() ?? 0).map(({ host }) => host)).toEqual([
    ...[20_001, 5353, 20_002, 20_002, 20_002],
  ])
  const fixed = [bind(53, { host: 1 }), bind(53, { protocol: 'udp' })]
  expect(shareNumbers(fixed)).toEqual(fixed)
})

test('a chosen number is within the range', () => {
  const [{ host = 0 } = bind(0)] = shareNumbers(dns)
  expect(host).toBeGreaterThanOrEqual(20_000)
  expect(host).toBeLessThan(30_000)
})

test('a server whose chosen number is taken is created again with another one, a few times', async () => {
  const taken = new TestfleetError('PORT_TAKEN', 'taken')
  const startFailing = async (
    ports: readonly PortBinding[],
    failures: number,
    { error = taken, hasKeptPorts = false } = {},
  ): Promise<string> => {
    let steps = ''
    const start = async (): Promise<void> => {
      steps += 's'
      if (steps.replaceAll('m', '').length <= failures) throw error
    }
    const makeAgain = async (): Promise<void> => {
      steps += 'm'
    }
    return startWithNumbers(ports, { hasKeptPorts, start, makeAgain }).then(
      () => steps,
      (reason: unknown) => `${steps} ${(reason as Error).message}`,
    )
  }
  expect(await startFailing(dns, 0)).toBe('s')
  expect(await startFailing(dns, 2)).toBe('smsms')
  expect(await startFailing(dns, 99)).toBe('smsmsmsms taken')
  expect(await startFailing([bind(80), bind(81)], 1)).toBe('s taken')
  expect(await startFailing(dns, 1, { error: new TestfleetError('START_FAILED', 'no') })).toBe('s no')
  // The numbers of its predecessor are tried only once.
  expect(await startFailing([bind(80)], 1, { hasKeptPorts: true })).toBe('sms')
  expect(await startFailing([bind(80)], 2, { hasKeptPorts: true })).toBe('sms taken')
})
