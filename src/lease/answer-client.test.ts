import { expect, test } from 'vitest'
import type { LineClient } from '../lender/line-server.ts'
import { TestfleetError } from '../model/failures.ts'
import { answerClient } from './answer-client.ts'
import type { SessionLending } from './lend-session.ts'
import type { Lendable, Lent } from './lendable.ts'

type Handler = Parameters<LineClient['onRequest']>[0]

/** A client in memory: it sends requests, and ends. */
function openClient(find: (server: string) => Promise<Lendable>, more: Partial<SessionLending> = {}) {
  let handler: Handler = async () => ({})
  const ends: (() => void)[] = []
  const client = { onRequest: (one: Handler) => (handler = one), onEnd: (one: () => void) => ends.push(one) }
  const lending = Promise.resolve({ find, ...more } as unknown as SessionLending)
  const over = { signal: new AbortController().signal, endWithSession: async () => {} }
  answerClient(client as unknown as LineClient, lending, over)
  return {
    ask: (request: Parameters<Handler>[0], signal = new AbortController().signal) => handler(request, { signal }),
    end: () => ends.forEach((end) => void end()),
  }
}

/** Lends without bound, and notes what comes back. */
function openLendable() {
  const given: Lent[] = []
  let lent = 0
  const take = async (): Promise<Lent> => ({ copy: `db-${++lent}` }) as Lent
  const lendable = { isolation: 'container', take, give: (one: Lent) => given.push(one) } as unknown as Lendable
  return { lendable, given }
}

test('the time of a lease includes that until the first copy can be made', async () => {
  const { ask } = openClient(() => new Promise(() => {}))
  await expect(ask({ lease: 'db', timeoutMs: 20 })).rejects.toMatchObject({
    code: 'TIMED_OUT',
    message: 'no pristine db within 20 ms: none is ready yet',
  })
})

test('a lease that is taken back meanwhile ends with the reason', async () => {
  const { ask } = openClient(() => new Promise(() => {}))
  const stop = new AbortController()
  const asked = ask({ lease: 'db' }, stop.signal)
  stop.abort(new TestfleetError('CANCELLED', 'the request was taken back'))
  await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' })
})

test('a client that has gone when its lease is made gives it back', async () => {
  const { lendable, given } = openLendable()
  const [asking, made] = [Promise.withResolvers<void>(), Promise.withResolvers<Lent>()]
  const take = (): Promise<Lent> => {
    asking.resolve()
    return made.promise
  }
  const { ask, end } = openClient(async () => ({ ...lendable, take }))
  const stop = new AbortController()
  const asked = ask({ lease: 'db' }, stop.signal)
  await asking.promise
  stop.abort(new Error('gone'))
  end()
  made.resolve({ copy: 'db-1' } as Lent)
  await expect(asked).rejects.toThrow('gone')
  expect(given).toMatchObject([{ copy: 'db-1' }])
})

test('a lease is given back once, and only by the client that has it', async () => {
  const { lendable, given } = openLendable()
  const [one, other] = [openClient(async () => lendable), openClient(async () => lendable)]
  const { lease } = (await one.ask({ lease: 'db' })) as { lease: string }
  await expect(other.ask({ release: lease })).rejects.toThrow(`this client has no lease ${lease}`)
  await one.ask({ release: lease })
  await expect(one.ask({ release: lease })).rejects.toThrow(`this client has no lease ${lease}`)
  one.end()
  expect(given).toHaveLength(1)
})

test('a client learns once what is not as the fleet file says', async () => {
  const { lendable } = openLendable()
  const problem = 'db: the copies run, because the engine cannot pause them'
  const { ask } = openClient(async () => Object.assign(lendable, { problem }))
  expect(await ask({ lease: 'db' })).toMatchObject({ warning: problem })
  expect(await ask({ lease: 'db' })).not.toHaveProperty('warning')
})

test('a lease that waits when the pool is changed gets what is lent from then on', async () => {
  const { lendable } = openLendable()
  const found: Lendable[] = []
  const take = async (): Promise<Lent> => {
    found[0] = lendable
    throw new Error('it is lent in another way')
  }
  found[0] = { ...lendable, take } as Lendable
  const { ask } = openClient(async () => found[0] as Lendable)
  expect(await ask({ lease: 'db' })).toMatchObject({ copy: 'db-1' })
})

test('a lease that waits for what is lent from then on still ends in time, and can be taken back', async () => {
  const { lendable } = openLendable()
  const take = async (): Promise<Lent> => {
    throw new Error('it is lent in another way')
  }
  const retired = { ...lendable, take, status: () => ({ size: 1, ready: 0, lent: 0, waiting: 0 }) } as Lendable
  const openChanged = () => {
    const found = [Promise.resolve(retired)]
    return openClient(() => found.pop() ?? new Promise(() => {}))
  }
  await expect(openChanged().ask({ lease: 'db', timeoutMs: 20 })).rejects.toMatchObject({ code: 'TIMED_OUT' })
  const stop = new AbortController()
  const asked = openChanged().ask({ lease: 'db' }, stop.signal)
  setImmediate(() => stop.abort(new TestfleetError('CANCELLED', 'the request was taken back')))
  await expect(asked).rejects.toMatchObject({ code: 'CANCELLED' })
})

test('the status has what is still lent as an earlier state of the fleet file said', async () => {
  const { lendable } = openLendable()
  const lending = (isolation: string, lent: number, more = {}) =>
    ({ isolation, status: () => ({ size: 1, ready: 0, lent, waiting: 0 }), ...more }) as unknown as Lendable
  const lendings = [
    ['db', lending('container', 0, { problem: 'it runs' })],
    ['cache', lending('reset', 1)],
    ['db', lending('database', 2)],
  ] as const
  const { ask } = openClient(async () => lendable, { lendings })
  const rest = { size: 1, ready: 0, waiting: 0 }
  const earlier = [{ ...rest, isolation: 'database', lent: 2 }]
  expect(await ask({ status: true })).toEqual({
    servers: {
      db: { ...rest, isolation: 'container', lent: 0, problem: 'it runs', earlier },
      cache: { ...rest, isolation: 'reset', lent: 1 },
    },
  })
})

test('what has changed in a session is passed on, and must be a fleet with texts', async () => {
  const passed: unknown[] = []
  const { lendable } = openLendable()
  const { ask } = openClient(async () => lendable, { refresh: async (one) => void passed.push(one) })
  const order = { kind: 'file', named: '/shop/testfleet.yaml' }
  await ask({ refresh: order, environment: { TAG: '1' } })
  await ask({ refresh: true })
  expect(passed).toEqual([{ order, environment: { TAG: '1' } }, {}])
  const usage = { code: 'USAGE' }
  await expect(ask({ refresh: { kind: 'odd' }, environment: {} })).rejects.toMatchObject(usage)
  await expect(ask({ refresh: order, environment: { TAG: 1 } })).rejects.toMatchObject(usage)
})
