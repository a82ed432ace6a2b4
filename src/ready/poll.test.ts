import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { pausesMs, poll, pollNetwork } from './poll.ts'
import { type Answer, notYet, type Probe, ready, silent, unheard } from './probe.ts'

/** Gives these answers in turn, and records how long a connection could have taken in each try. */
async function patienceFor(answers: readonly Answer[]): Promise<number[]> {
  const patience: number[] = []
  const left = [...answers, ready]
  await poll(
    async (_signal, _patienceMs, waiting) => {
      patience.push(waiting?.connectMs ?? 0)
      return left.shift() ?? ready
    },
    new AbortController().signal,
    () => {},
  )
  return patience
}

describe('poll', () => {
  test('tries again until the probe passes, and reports each answer before that', async () => {
    const answers: string[] = []
    const left = [notYet('refused'), silent('says nothing'), ready]
    await poll(
      async () => left.shift() ?? ready,
      new AbortController().signal,
      (answer) => answers.push(answer),
    )
    expect(answers).toEqual(['refused', 'says nothing'])
    expect(left).toEqual([])
  })

  test('reports how long each try took, without the pause after it', async () => {
    const took: (number | undefined)[] = []
    const left = [notYet('refused'), ready]
    const slow: Probe = async () => {
      await sleep(30)
      return left.shift() ?? ready
    }
    const last = await poll(slow, new AbortController().signal, (_answer, _isRefusal, tookMs) => took.push(tookMs))
    expect(took).toEqual([expect.any(Number)])
    expect(Math.min(last, ...took.map(Number))).toBeGreaterThan(25)
  })

  test('gives connections more time when a server is silent, but not when it refuses', async () => {
    expect(await patienceFor([notYet('a'), notYet('b'), notYet('c')])).toEqual([1000, 1000, 1000, 1000])
    expect(await patienceFor(Array.from({ length: 5 }, () => silent('a')))).toEqual([
      1000, 2000, 4000, 8000, 15_000, 15_000,
    ])
  })

  test('pauses only a few milliseconds at first', () => {
    const pauses = pausesMs(1.5)
    const first = Array.from({ length: 6 }, () => pauses.next().value)
    expect(first.map(Math.round)).toEqual([5, 8, 11, 17, 25, 38])
  })

  test('asks a server over the network again after a fifth of the time so far, and 5 ms, but every 250 ms at last', () => {
    const pauses = pausesMs()
    for (let waitedMs = 0; waitedMs < 10_000; ) {
      const pauseMs = pauses.next().value
      expect(pauseMs).toBeLessThanOrEqual(waitedMs / 5 + 5.001)
      waitedMs += pauseMs
    }
    expect(pauses.next().value).toBe(250)
  })

  test('ends with its signal, even in a pause', async () => {
    const abort = new AbortController()
    const polled = poll(
      async () => notYet('refused'),
      abort.signal,
      () => abort.abort(),
    )
    await expect(polled).rejects.toMatchObject({ name: 'AbortError' })
    await expect(
      poll(
        async () => ready,
        AbortSignal.abort(new Error('before')),
        () => {},
      ),
    ).rejects.toThrow('before')
  })
})

describe('pollNetwork', () => {
  const never = new AbortController().signal
  const later = (): number => performance.now() + 60_000
  /** Never answers until it is cancelled. */
  const hang = (signal: AbortSignal): Promise<Answer> =>
    new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }))

  test('allows one attempt to last until a tenth of a second before the deadline, so that its answer is reported', async () => {
    const startedAt = performance.now()
    const probe: Probe = async (_, patienceMs) => {
      // Rounded to a millisecond.
      expect(patienceMs).toBeGreaterThan(startedAt + 600_000 - performance.now() - 101)
      expect(patienceMs).toBeLessThan(600_000 - 99)
      return ready
    }
    await pollNetwork(probe, never, () => {}, startedAt + 600_000)
  })

  test('gives an attempt a tenth of a second although the deadline has passed', async () => {
    const probe: Probe = async (_, patienceMs) => {
      expect(patienceMs).toBe(100)
      return ready
    }
    await pollNetwork(probe, never, () => {}, performance.now())
  })

  test('never sends two requests at once to a server that takes one connection after another', async () => {
    let underWay = 0
    let most = 0
    const probe: Probe = async () => {
      underWay++
      most = Math.max(most, underWay)
      await sleep(100)
      underWay--
      return ready
    }
    await pollNetwork(probe, never, () => {}, later())
    expect(most).toBe(1)
  })

  test('finds a server ready although it has forgotten an earlier connection', async () => {
    const left: Probe[] = [hang, async () => notYet('answers 503'), async () => ready]
    const probe: Probe = (...attempt) => (left.shift() ?? hang)(...attempt)
    const answers: string[] = []
    await pollNetwork(probe, never, (answer) => answers.push(answer), later(), 20)
    expect(answers).toEqual(['answers 503'])
  })

  test('accepts the answer to the first connection if the server refuses a second one', async () => {
    const refused = Promise.withResolvers<void>()
    let tries = 0
    const probe: Probe = async () => {
      tries++
      if (tries === 1) {
        await refused.promise
        return ready
      }
      setImmediate(refused.resolve)
      return unheard('connection refused')
    }
    await pollNetwork(probe, never, () => {}, later(), 20)
    expect(tries).toBe(2)
  })

  test('reports the answer to a second connection, and that the first one got none', async () => {
    const refused = Promise.withResolvers<void>()
    const over = new AbortController()
    let tries = 0
    const probe: Probe = async () => {
      tries++
      if (tries === 1) {
        await refused.promise
        return silent('does not answer')
      }
      setImmediate(refused.resolve)
      return unheard('connection refused')
    }
    const answers: string[] = []
    const onAnswer = (answer: string): void => {
      answers.push(answer)
      over.abort()
    }
    await expect(pollNetwork(probe, over.signal, onAnswer, later(), 20)).rejects.toMatchObject({ name: 'AbortError' })
    expect(answers).toEqual(['does not answer; a second connection: connection refused'])
  })
})
