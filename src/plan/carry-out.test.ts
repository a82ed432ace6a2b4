import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import type { Operation, Plan } from '../model/plan.ts'
import { carryOut } from './carry-out.ts'

function plan(...starts: [server: string, ...needs: string[]][]): Plan {
  const operations = starts.map(
    ([server, ...needs]): Operation => ({ id: server, needs, kind: 'startServer', server, reason: '' }),
  )
  return { session: 's', operations }
}

const never = new AbortController().signal

describe('carryOut', () => {
  test('begins each operation the moment what it needs is done, not when a whole level is', async () => {
    const order: string[] = []
    const deeds = {
      async startServer({ server }: { server: string }) {
        order.push(`${server} begins`)
        if (server === 'slow') await sleep(100)
        order.push(`${server} is done`)
      },
    }
    await carryOut(plan(['slow'], ['quick'], ['after quick', 'quick'], ['after both', 'slow', 'quick']), deeds, {
      signal: never,
      onSkipped() {},
    })
    expect(order.indexOf('after quick is done')).toBeLessThan(order.indexOf('slow is done'))
    expect(order.indexOf('after both begins')).toBeGreaterThan(order.indexOf('slow is done'))
  })

  test('cancels what is under way at the first failure, skips what needs it, and rejects with that failure', async () => {
    const skipped: string[] = []
    let cancelled = false
    const deeds = {
      async startServer({ server }: { server: string }, signal: AbortSignal) {
        if (server === 'bad') throw new Error('no luck')
        await sleep(10_000, undefined, { signal }).catch((error: unknown) => {
          cancelled = true
          throw error
        })
      },
    }
    const work = carryOut(plan(['other'], ['bad'], ['needs bad', 'bad'], ['last', 'needs bad']), deeds, {
      signal: never,
      onSkipped: (operation, because) => skipped.push(`${operation.id} because of ${because.id}`),
    })
    await expect(work).rejects.toThrow('no luck')
    expect(cancelled).toBe(true)
    expect(skipped).toEqual(['needs bad because of bad', 'last because of bad'])
  })

  test('rejects with the reason of the signal once it fires, and begins nothing more', async () => {
    const begun: string[] = []
    const controller = new AbortController()
    const deeds = {
      async startServer({ server }: { server: string }, signal: AbortSignal) {
        begun.push(server)
        controller.abort(new Error('enough'))
        await sleep(10_000, undefined, { signal })
      },
    }
    await expect(
      carryOut(plan(['a'], ['b', 'a']), deeds, { signal: controller.signal, onSkipped() {} }),
    ).rejects.toThrow('enough')
    expect(begun).toEqual(['a'])
  })
})
