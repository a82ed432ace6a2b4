import { expect, test } from 'vitest'
import { eventually } from '../../tests/support/eventually.ts'
import { openDropper } from './dropper.ts'

/** Drops that fail until the test allows them. */
function openFailing(firstPauseMs?: number) {
  const tried: string[] = []
  const state = { isBroken: true }
  const drop = async (thing: string): Promise<void> => {
    tried.push(thing)
    if (state.isBroken) throw new Error('cannot drop')
  }
  return { dropper: openDropper(drop, firstPauseMs), tried, state }
}

test('a drop that fails is tried again after a pause', async () => {
  const { dropper, tried, state } = openFailing(1)
  void dropper.drop('a')
  await eventually(() => expect(tried.length).toBeGreaterThan(2))
  expect(dropper.left).toBe(1)
  state.isBroken = false
  await eventually(() => expect(dropper.left).toBe(0))
  await dropper.close()
  expect(new Set(tried)).toEqual(new Set(['a']))
})

test('the end of a dropper tries each drop that failed for the last time, without waiting for its pause', async () => {
  const { dropper, tried, state } = openFailing()
  void dropper.drop('a')
  void dropper.drop('b')
  await eventually(() => expect(tried).toEqual(['a', 'b']))
  state.isBroken = false
  await dropper.close()
  expect(tried).toEqual(['a', 'b', 'a', 'b'])
  expect(dropper.left).toBe(0)
})

test('a drop that fails even at the end does not hold up the end', async () => {
  const { dropper, tried } = openFailing()
  void dropper.drop('a')
  await dropper.close()
  expect(tried).toEqual(['a', 'a'])
})
