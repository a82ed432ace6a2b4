import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { type Members, Pool, type PoolSettings } from './pool.ts'

interface Thing {
  readonly id: number
  /** What its last holder left in it. */
  dirt: string
}

const settings = (size: number): PoolSettings => ({
  size,
  mostWaiting: 3,
  tooMany: () => new Error('too many wait'),
  closed: () => new Error('closed'),
  died: () => new Error('died'),
})

/** Members that can be made to fail. */
function things() {
  let made = 0
  const discarded: number[] = []
  const fails = { make: false, restore: false, wake: false }
  const refuse = (what: keyof typeof fails): void => {
    if (fails[what]) throw new Error(`cannot ${what}`)
  }
  const members: Members<Thing> = {
    async make() {
      await sleep(1)
      refuse('make')
      return { id: ++made, dirt: '' }
    },
    async restore(thing) {
      await sleep(1)
      refuse('restore')
      thing.dirt = ''
    },
    async wake() {
      refuse('wake')
    },
    async discard({ id }) {
      discarded.push(id)
    },
  }
  return { members, fails, discarded, count: () => made }
}

test('a pool lends each member to one holder, and the next one waits in line', async () => {
  const { members } = things()
  const pool = new Pool(members, settings(2))
  const [one, other] = await Promise.all([pool.take(), pool.take()])
  expect(one).not.toBe(other)
  const order: string[] = []
  const takeAs = async (name: string): Promise<Thing> => {
    const thing = await pool.take()
    order.push(name)
    return thing
  }
  const third = takeAs('third')
  const fourth = takeAs('fourth')
  one.dirt = 'used'
  expect(pool.status()).toEqual({ size: 2, ready: 0, lent: 2, waiting: 2 })
  pool.give(one)
  expect(await third).toBe(one)
  expect(one.dirt).toBe('')
  pool.give(other)
  expect(await fourth).toBe(other)
  expect(order).toEqual(['third', 'fourth'])
  await pool.close()
})

test('a member that cannot be made pristine is discarded and replaced', async () => {
  const { members, fails, discarded } = things()
  const pool = new Pool(members, settings(1))
  const one = await pool.take()
  one.dirt = 'used'
  fails.restore = true
  pool.give(one)
  const next = await pool.take()
  expect(next).toEqual({ id: 2, dirt: '' })
  expect(discarded).toEqual([1])
  await pool.close()
})

test('a member that is of no use when it is wanted, or dies, is replaced', async () => {
  const { members, fails, discarded } = things()
  const pool = new Pool(members, settings(1))
  await eventually(() => expect(pool.status().ready).toBe(1))
  const wake = members.wake
  fails.wake = true
  Object.assign(members, {
    wake: (thing: Thing) => {
      const result = wake(thing)
      fails.wake = false
      return result
    },
  })
  const taken = await pool.take()
  expect(taken.id).toBe(2)
  expect(discarded).toEqual([1])
  pool.give(taken)
  await eventually(() => expect(pool.status().ready).toBe(1))
  pool.drop(taken)
  await eventually(() => expect(pool.status().ready).toBe(1))
  expect(discarded).toEqual([1, 2])
  await pool.close()
})

test('a member that dies while it is made is never lent', async () => {
  const { members, discarded } = things()
  const made = members.make
  const make = async (): Promise<Thing> => {
    const thing = await made()
    pool.drop(thing)
    return thing
  }
  const pool: Pool<Thing> = new Pool({ ...members, make }, settings(2))
  await expect(pool.take()).rejects.toThrow('died')
  expect(discarded).toEqual([1, 2])
  await pool.close()
})

test('a member that dies while it is made pristine is never lent', async () => {
  const { members, discarded } = things()
  const pool = new Pool(members, settings(2))
  const [one] = await Promise.all([pool.take(), pool.take()])
  pool.give(one)
  pool.drop(one)
  expect((await pool.take()).id).toBe(3)
  expect(discarded).toEqual([one.id])
  await pool.close()
})

test('a member that dies while it is lent stays until the end of its lease, and is then replaced', async () => {
  const { members, discarded } = things()
  const pool = new Pool(members, settings(1))
  const one = await pool.take()
  pool.drop(one)
  expect({ discarded, status: pool.status() }).toMatchObject({ discarded: [], status: { lent: 1 } })
  pool.give(one)
  expect((await pool.take()).id).toBe(2)
  expect(discarded).toEqual([one.id])
  await pool.close()
})

test('those who wait learn why no member can be made, and the next one tries again', async () => {
  const { members, fails } = things()
  fails.make = true
  const pool = new Pool(members, settings(2))
  await expect(pool.take()).rejects.toThrow('cannot make')
  fails.make = false
  expect((await pool.take()).id).toBe(1)
  await pool.close()
})

test('a holder that gives up leaves the line, and a line that is full is refused', async () => {
  const { members } = things()
  const pool = new Pool(members, settings(1))
  const one = await pool.take()
  const stop = new AbortController()
  const waiting = [pool.take(stop.signal), pool.take(), pool.take()]
  await expect(pool.take()).rejects.toThrow('too many wait')
  stop.abort(new Error('enough'))
  await expect(waiting[0]).rejects.toThrow('enough')
  await expect(pool.take(stop.signal)).rejects.toThrow('enough')
  pool.give(one)
  expect(await waiting[1]).toBe(one)
  waiting[2]?.catch(() => {})
  await pool.close()
  await expect(waiting[2]).rejects.toThrow('closed')
  await expect(pool.take()).rejects.toThrow('closed')
})

test('a pool that is closed waits for what is being done, and makes no more', async () => {
  const { members, count } = things()
  const pool = new Pool(members, settings(3))
  const one = pool.take()
  await one
  await pool.close()
  const made = count()
  pool.give(await one)
  await sleep(5)
  expect(count()).toBe(made)
})
