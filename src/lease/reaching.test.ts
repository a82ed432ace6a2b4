import { expect, test } from 'vitest'
import type { LenderClient } from '../lender/connection.ts'
import { Reaching } from './reaching.ts'

function open() {
  const found = Promise.withResolvers<LenderClient>()
  let isCancelled = false
  let outer = new AbortController().signal
  const reaching = new Reaching(
    (signal) => {
      outer = signal
      return found.promise
    },
    () => {
      isCancelled = true
    },
  )
  return { reaching, found, isCancelled: () => isCancelled && outer.aborted }
}

test('an attempt to reach a lender goes on while one of its leases waits, and is cancelled after the last one', async () => {
  const { reaching, isCancelled } = open()
  const [first, second] = [new AbortController(), new AbortController()]
  const waits = [reaching.wait(first.signal), reaching.wait(second.signal)]
  first.abort(new Error('the first is over'))
  await expect(waits[0]).rejects.toThrow('the first is over')
  expect(isCancelled()).toBe(false)
  second.abort(new Error('the second is over'))
  await expect(waits[1]).rejects.toThrow('the second is over')
  expect(isCancelled()).toBe(true)
})

test('a lender that is reached is for all that wait, and stays for later leases', async () => {
  const { reaching, found, isCancelled } = open()
  const client = {} as LenderClient
  const waits = [1, 2].map(() => reaching.wait(new AbortController().signal))
  found.resolve(client)
  expect(await Promise.all(waits)).toEqual([client, client])
  expect(await reaching.wait(new AbortController().signal)).toBe(client)
  expect(isCancelled()).toBe(false)
})
