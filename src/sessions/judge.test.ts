import { describe, expect, test } from 'vitest'
import type { Holder, Lease, LeaseKind, Machine } from '../../model/lease.ts'
import { judgeLease } from './judge-lease.ts'
import { identifyProcess, isAlive, readMachine } from './processes.ts'

const here = readMachine()
const self = identifyProcess(process.pid) ?? { pid: 0, startedAt: '' }
// The same number, as a process of an hour ago had it.
const earlier = { ...self, startedAt: '1' }
const nobody = { pid: 2 ** 22 + 1, startedAt: '1' }

function lease(changes: Partial<Holder> = {}, kind: LeaseKind = 'hold'): Lease {
  const holder = { machine: here, processes: [self], socket: '', ...changes }
  return { id: '0123456789ab', session: 's', kind, volume: 's.0123456789ab', holder, createdAtMs: 0 }
}

function machine(changes: Partial<Machine>): Pick<Holder, 'machine' | 'processes'> {
  return { machine: { ...here, ...changes }, processes: [nobody] }
}

describe('judgeLease', () => {
  test.each([
    ['its call runs', lease(), 'alive'],
    ['its call is gone, its keeper runs', lease({ processes: [nobody, self] }), 'alive'],
    ['all of its processes are gone', lease({ processes: [nobody, nobody] }), 'dead'],
    ['a later process has the number', lease({ processes: [earlier] }), 'dead'],
    ['nobody is named', lease({ processes: [] }), 'dead'],
    [
      'the machine has been started anew, whoever has the number now',
      lease({ machine: { ...here, boot: 'x' } }),
      'dead',
    ],
    ['it is of another machine', lease(machine({ name: 'elsewhere' })), 'unknown'],
    ['it is of another machine of that name', lease(machine({ id: 'another' })), 'unknown'],
    ['it is of a container of this machine', lease(machine({ pidSpace: 'pid:[1]' })), 'unknown'],
    ['it is not known when its machine was started', lease(machine({ boot: '' })), 'unknown'],
    ['it cannot be read', { ...lease(), holder: undefined }, 'unknown'],
  ] as const)('%s', (_, given, state) => {
    expect(judgeLease(given, here, 0)).toBe(state)
  })

  test('a time is over when it is over, wherever it came from', () => {
    const elsewhere = lease({ ...machine({ name: 'elsewhere' }), untilMs: 1000 }, 'time')
    expect(judgeLease(elsewhere, here, 999)).toBe('alive')
    expect(judgeLease(elsewhere, here, 1000)).toBe('dead')
  })
})

describe('a process', () => {
  test('is known by its number and its start', () => {
    expect(self.pid).toBe(process.pid)
    expect(isAlive(self)).toBe(true)
    expect(isAlive(earlier)).toBe(false)
    expect(identifyProcess(nobody.pid)).toBeUndefined()
  })
})
