import { describe, expect, test } from 'vitest'
import { type Answer, notYet, ready, silent } from './probe.ts'
import { poll } from './run-check.ts'

/** Gives these answers one after the other, and notes how long each try would have waited. */
async function patienceFor(answers: readonly Answer[]): Promise<number[]> {
  const patience: number[] = []
  const left = [...answers, ready]
  await poll(
    async (_, patienceMs) => {
      patience.push(patienceMs)
      return left.shift() ?? ready
    },
    new AbortController().signal,
    () => {},
  )
  return patience
}

describe('poll', () => {
  test('tries again until it holds, and tells each answer that was not it', async () => {
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

  test('becomes patient with a server that is silent, and not with one that refuses', async () => {
    expect(await patienceFor([notYet('a'), notYet('b'), notYet('c')])).toEqual([1000, 1000, 1000, 1000])
    expect(await patienceFor(Array.from({ length: 5 }, () => silent('a')))).toEqual([
      1000, 2000, 4000, 8000, 15_000, 15_000,
    ])
  })

  test('tries every few milliseconds at first', async () => {
    const startedAt = performance.now()
    await patienceFor(Array.from({ length: 6 }, () => notYet('refused')))
    expect(performance.now() - startedAt).toBeLessThan(1000)
  })

  test('ends with its signal, in a pause too', async () => {
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
