import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import type { Change, Lifetime, Machine, ProcessIdentity } from '../model/session.ts'
import { identifyProcess, isAlive, judgeChange, judgeLifetime, readMachine } from './processes.ts'

const here = readMachine()
const self = identifyProcess(process.pid) ?? { pid: 0, startedAt: '' }
/** The same process id, used an hour ago by another process. */
const earlier = { ...self, startedAt: '1' }
const nobody = { pid: 2 ** 22 + 1, startedAt: '1' }

const hold = (one: ProcessIdentity, machine: Partial<Machine> = {}) => ({
  machine: { ...here, ...machine },
  process: one,
})
const held = (...processes: ProcessIdentity[]): Lifetime => ({
  kind: 'held',
  holders: processes.map((one) => hold(one)),
  keeper: undefined,
})
const elsewhere = (machine: Partial<Machine>): Lifetime => ({
  kind: 'held',
  holders: [hold(nobody, machine)],
  keeper: undefined,
})

describe('a held session', () => {
  test.each([
    ['its holder runs', held(self), 'alive'],
    ['one of its holders runs', held(nobody, self), 'alive'],
    ['only its keeper runs', { kind: 'held', holders: [hold(nobody)], keeper: { ...hold(self), socket: '' } }, 'alive'],
    ['all of its processes are gone', held(nobody, nobody), 'dead'],
    ['a later process has the same process id', held(earlier), 'dead'],
    ['it has no holders', held(), 'dead'],
    ['its machine was restarted', { kind: 'held', holders: [hold(self, { boot: 'x' })], keeper: undefined }, 'dead'],
    ['it is on another machine', elsewhere({ name: 'elsewhere' }), 'unknown'],
    ['it is on another machine of the same name', elsewhere({ id: 'another' }), 'unknown'],
    ['it is in a container of this machine', elsewhere({ pidSpace: 'pid:[1]' }), 'unknown'],
    ['the boot time of its machine is unknown', elsewhere({ boot: '' }), 'unknown'],
  ] as const)('%s', (_, lifetime, life) => {
    expect(judgeLifetime(lifetime as Lifetime, here, 0)).toBe(life)
  })
})

test('a session with a time limit is dead after it, and a session of `up` never', () => {
  const until: Lifetime = { kind: 'until', untilMs: 1000, keeper: undefined }
  expect(judgeLifetime(until, here, 999)).toBe('alive')
  expect(judgeLifetime(until, here, 1000)).toBe('dead')
  expect(judgeLifetime({ kind: 'lasting' }, here, 1000)).toBe('alive')
})

test('a change is alive as long as its call or its keeper', () => {
  const change = (call: ProcessIdentity, keeper?: ProcessIdentity): Change => ({
    id: 'c',
    by: hold(call),
    keeper: keeper && { ...hold(keeper), socket: '' },
    isFirst: false,
    stage: 'making',
    replaced: [],
    starting: {},
  })
  expect(judgeChange(change(self), here)).toBe('alive')
  expect(judgeChange(change(nobody, self), here)).toBe('alive')
  expect(judgeChange(change(nobody, nobody), here)).toBe('dead')
})

describe('a process', () => {
  test('is identified by its process id and start time', () => {
    expect(self.pid).toBe(process.pid)
    expect(isAlive(self)).toBe(true)
    expect(isAlive(earlier)).toBe(false)
    expect(identifyProcess(nobody.pid)).toBeUndefined()
  })

  test('that has ended and was not yet waited for is not alive', async () => {
    const child = spawn('true')
    await new Promise((resolve) => child.once('exit', resolve))
    expect(identifyProcess(child.pid ?? 0)).toBeUndefined()
  })
})
