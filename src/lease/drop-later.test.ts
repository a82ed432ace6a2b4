import { expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { type DropLaterSettings, openDropLater } from './drop-later.ts'

const never = 2 ** 31 - 1

/** Things of ten bytes each, of which those that start with `open` cannot be closed. */
function openThings(settings: Partial<DropLaterSettings> = {}) {
  const deeds: string[] = []
  const later = openDropLater({
    async close(thing) {
      if (thing.startsWith('open')) throw new Error('cannot close')
      deeds.push(`close ${thing}`)
      return 10
    },
    async drop(thing) {
      deeds.push(`drop ${thing}`)
    },
    most: { things: 100, bytes: 1000 },
    idleMs: never,
    isBusy: () => false,
    ...settings,
  })
  return { later, deeds }
}

test.each([
  ['things', { things: 2, bytes: 1000 }],
  ['bytes', { things: 100, bytes: 20 }],
])('things are closed at once, and the oldest are dropped when there are too many %s', async (_, most) => {
  const { later, deeds } = openThings({ most })
  for (const thing of ['a', 'b']) later.release(thing)
  await eventually(() => expect(deeds).toEqual(['close a', 'close b']))
  expect(later.left).toBe(2)
  for (const thing of ['c', 'd']) later.release(thing)
  await eventually(() => expect(deeds.slice(2).toSorted()).toEqual(['close c', 'close d', 'drop a', 'drop b']))
  await eventually(() => expect(later.left).toBe(2))
  await later.close()
  expect(deeds.slice(6)).toEqual(['drop c', 'drop d'])
  expect(later.left).toBe(0)
})

test('a thing that cannot be closed is dropped at once', async () => {
  const { later, deeds } = openThings()
  later.release('open')
  await eventually(() => expect({ deeds, left: later.left }).toEqual({ deeds: ['drop open'], left: 0 }))
  await later.close()
})

test('things are dropped once nobody has needed the server for a while', async () => {
  let isBusy = true
  let asked = 0
  const { later, deeds } = openThings({
    idleMs: 1,
    isBusy: () => {
      asked += 1
      return isBusy
    },
  })
  for (const thing of ['a', 'b']) later.release(thing)
  await eventually(() => expect(asked).toBeGreaterThan(2))
  expect(deeds).toEqual(['close a', 'close b'])
  isBusy = false
  await eventually(() => expect(deeds.slice(2)).toEqual(['drop a', 'drop b']))
  await eventually(() => expect(later.left).toBe(0))
  await later.close()
})

test('somebody who needs the server waits for one drop at most', async () => {
  const first = Promise.withResolvers<void>()
  const dropped: string[] = []
  const { later } = openThings({
    idleMs: 1,
    async drop(thing) {
      dropped.push(thing)
      await first.promise
    },
    isBusy: () => dropped.length > 0,
  })
  for (const thing of ['a', 'b']) later.release(thing)
  await eventually(() => expect(dropped).toEqual(['a']))
  later.postpone()
  first.resolve()
  await eventually(() => expect(later.left).toBe(1))
  await later.close()
  expect(dropped).toEqual(['a', 'b'])
})

test('what is still being closed at the end is dropped, too', async () => {
  const closing = Promise.withResolvers<number>()
  const { later, deeds } = openThings({ close: () => closing.promise })
  later.release('a')
  const closed = later.close()
  closing.resolve(10)
  await closed
  expect({ deeds, left: later.left }).toEqual({ deeds: ['drop a'], left: 0 })
})
