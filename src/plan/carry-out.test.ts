import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { FleetEvent } from '../model/events.ts'
import type { Operation, Plan } from '../model/plan.ts'
import { carryOut, reportOperation, reportOperations } from './carry-out.ts'

function plan(...starts: [server: string, ...needs: string[]][]): Plan {
  const operations = starts.map(
    ([server, ...needs]): Operation => ({ id: server, needs, kind: 'startServer', server, reason: '' }),
  )
  return { session: 's', operations }
}

const never = new AbortController().signal

describe('operations as events', () => {
  const heard: string[] = []
  const onEvent = (event: FleetEvent): void => {
    if (event.kind === 'operationBegan') heard.push(`${event.operation.id} began`)
    if (event.kind === 'operationEnded') heard.push(`${event.operation.id} ended${event.hasFailed ? ' badly' : ''}`)
  }
  const handlers = {
    async startServer({ server }: { server: string }) {
      if (server === 'b') throw new Error('b')
    },
  }

  test('those of a plan are reported when they begin and when they end, or fail', async () => {
    heard.length = 0
    await carryOut(plan(['a'], ['b', 'a']), handlers, {
      signal: never,
      onFailure: 'stop',
      ...reportOperations(onEvent),
    })
    expect(heard).toEqual(['a began', 'a ended', 'b began', 'b ended badly'])
  })

  test('one without a plan is reported in the same way', async () => {
    heard.length = 0
    const [operation] = plan(['a']).operations as [Operation]
    await reportOperation(operation, onEvent, async () => {})
    await expect(reportOperation(operation, onEvent, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(heard).toEqual(['a began', 'a ended', 'a began', 'a ended badly'])
  })
})

describe('carryOut', () => {
  test('begins each operation as soon as its own needs are done, without waiting for a whole level', async () => {
    const order: string[] = []
    const handlers = {
      async startServer({ server }: { server: string }) {
        order.push(`${server} begins`)
        if (server === 'slow') await sleep(100)
        order.push(`${server} is done`)
      },
    }
    await carryOut(plan(['slow'], ['quick'], ['after quick', 'quick'], ['after both', 'slow', 'quick']), handlers, {
      signal: never,
      onFailure: 'stop',
    })
    expect(order.indexOf('after quick is done')).toBeLessThan(order.indexOf('slow is done'))
    expect(order.indexOf('after both begins')).toBeGreaterThan(order.indexOf('slow is done'))
  })

  test('cancels running operations at the first failure, skips those that need it, and resolves with it first', async () => {
    const skipped: string[] = []
    let cancelled = false
    const handlers = {
      async startServer({ server }: { server: string }, signal: AbortSignal) {
        if (server === 'bad') throw new Error('no luck')
        await sleep(10_000, undefined, { signal }).catch((error: unknown) => {
          cancelled = true
          throw error
        })
      },
    }
    const work = carryOut(plan(['other'], ['bad'], ['needs bad', 'bad'], ['last', 'needs bad']), handlers, {
      signal: never,
      onFailure: 'stop',
      onSkipped: (operation, because) => skipped.push(`${operation.id} because of ${because.id}`),
    })
    const [failure] = await work
    expect(failure).toMatchObject({ error: new Error('no luck'), operation: { id: 'bad' } })
    expect(cancelled).toBe(true)
    expect(skipped).toEqual(['needs bad because of bad', 'last because of bad'])
  })

  test('continues with operations that do not need the failed one when asked to, and resolves with every failure', async () => {
    const done: string[] = []
    const handlers = {
      async startServer({ server }: { server: string }) {
        if (server.startsWith('bad')) throw new Error(server)
        done.push(server)
      },
    }
    const failures = await carryOut(
      plan(['bad one'], ['needs bad', 'bad one'], ['good'], ['bad two'], ['after good', 'good']),
      handlers,
      { signal: never, onFailure: 'continue' },
    )
    expect(failures.map(({ error }) => (error as Error).message)).toEqual(['bad one', 'bad two'])
    expect(done).toEqual(['good', 'after good'])
  })

  test('reports the start and the end of each operation', async () => {
    const told: string[] = []
    const failing = plan(['a'], ['b', 'a'], ['c', 'b'])
    await carryOut(
      failing,
      {
        async startServer({ server }: { server: string }) {
          if (server === 'b') throw new Error('b')
        },
      },
      {
        signal: never,
        onFailure: 'stop',
        onStart: ({ id }) => told.push(`${id} starts`),
        onEnd: ({ id }, hasFailed) => told.push(`${id} ${hasFailed ? 'fails' : 'ends'}`),
        onSkipped: ({ id }) => told.push(`${id} is skipped`),
      },
    )
    expect(told).toEqual(['a starts', 'a ends', 'b starts', 'b fails', 'c is skipped'])
  })

  test('rejects with the reason of the signal once it fires, and begins no further operation', async () => {
    const begun: string[] = []
    const controller = new AbortController()
    const handlers = {
      async startServer({ server }: { server: string }, signal: AbortSignal) {
        begun.push(server)
        controller.abort(new Error('enough'))
        await sleep(10_000, undefined, { signal })
      },
    }
    await expect(
      carryOut(plan(['a'], ['b', 'a']), handlers, { signal: controller.signal, onFailure: 'stop' }),
    ).rejects.toThrow('enough')
    expect(begun).toEqual(['a'])
  })

  test('resolves when the signal fires after everything has been done, as the result is there', async () => {
    const controller = new AbortController()
    const handlers = { startServer: async () => controller.abort(new Error('too late')) }
    const options = { signal: controller.signal, onFailure: 'stop' } as const
    expect(await carryOut(plan(['a']), handlers, options)).toEqual([])
    await expect(carryOut(plan(['a']), handlers, options)).rejects.toThrow('too late')
  })
})
