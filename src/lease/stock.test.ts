import { expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { openStock } from './stock.ts'

/** A stock whose things are finished when the test says so. */
function openWatched({ size, makers, pauseMs = 0 }: { size: number; makers: number; pauseMs?: number }) {
  const begun: PromiseWithResolvers<number>[] = []
  const dropped: number[] = []
  const stock = openStock<number>({
    ...{ size, makers, pauseMs },
    make() {
      const one = Promise.withResolvers<number>()
      begun.push(one)
      return one.promise
    },
    drop: (thing) => void dropped.push(thing),
    closed: () => new Error('closed'),
  })
  const finish = async (number: number): Promise<void> => {
    begun[number]?.resolve(number)
    await new Promise(setImmediate)
  }
  return { stock, begun, dropped, finish }
}

test('a stock makes as many as it keeps and as are waited for, a bounded number at a time', async () => {
  const { stock, begun, finish } = openWatched({ size: 3, makers: 2 })
  const asked = [stock.take(), stock.take()]
  expect(begun).toHaveLength(2)
  for (const [number, count] of [3, 4, 5, 5, 5].entries()) {
    await finish(number)
    expect(begun).toHaveLength(count)
  }
  expect(await Promise.all(asked)).toEqual([0, 1])
  expect(stock.ready).toBe(3)
})

test('nothing more is made for those who have left, and what is made for them is dropped', async () => {
  const { stock, begun, dropped, finish } = openWatched({ size: 1, makers: 3 })
  await finish(0)
  const abort = new AbortController()
  const asked = Array.from({ length: 9 }, () => stock.take(abort.signal))
  expect(await asked[0]).toBe(0)
  expect(begun).toHaveLength(4)
  abort.abort(new Error('enough'))
  for (const one of asked.slice(1)) await expect(one).rejects.toThrow('enough')
  for (const number of [1, 2, 3]) await finish(number)
  expect(begun).toHaveLength(4)
  expect(stock.ready).toBe(1)
  expect(dropped).toEqual([2, 3])
})

test('a failure rejects everyone who waits, and the next one who asks makes the stock try again', async () => {
  const { stock, begun, finish } = openWatched({ size: 1, makers: 2 })
  const asked = [stock.take(), stock.take()]
  const refused = Promise.allSettled(asked)
  begun[0]?.reject(new Error('cannot make'))
  expect((await refused).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  await finish(1)
  expect(stock.ready).toBe(1)
  expect(begun).toHaveLength(2)
  expect(await stock.take()).toBe(1)
  await eventually(() => expect(begun).toHaveLength(3))
})

test('the end of a stock rejects those who wait, and returns what is left when nothing is being made', async () => {
  const { stock, finish } = openWatched({ size: 2, makers: 2 })
  await finish(0)
  await stock.take()
  const waiting = Promise.allSettled([stock.take(), stock.take()])
  await finish(1)
  const left = stock.close()
  await expect(stock.take()).rejects.toThrow('closed')
  await finish(2)
  await finish(3)
  expect((await waiting).map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
  expect(await left).toEqual([2, 3])
})

test('the next one is made a moment after one that was ready was taken, and at once when somebody waits', async () => {
  const { stock, begun, finish } = openWatched({ size: 1, makers: 1, pauseMs: 20 })
  await finish(0)
  await stock.take()
  expect(begun).toHaveLength(1)
  await eventually(() => expect(begun).toHaveLength(2))
  await finish(1)
  await stock.take()
  const next = stock.take()
  expect(begun).toHaveLength(3)
  await finish(2)
  expect(await next).toBe(2)
})
