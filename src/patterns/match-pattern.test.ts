import { describe, expect, test } from 'vitest'
import { findMismatchHere, openPattern, openPatternJudge } from './match-pattern.ts'

const endless = `${'a'.repeat(50)}!`

test('matches line by line', async () => {
  await using pattern = await openPattern('^b+$', new AbortController().signal, () => {})
  expect(await pattern.countIn(['a', 'bb'], 1)).toBe(1)
  expect(await pattern.countIn(['bb', 'bbb', 'a', 'bb'], 9)).toBe(3)
  expect(await pattern.countIn(['a', 'ab'], 1)).toBe(0)
  expect(await pattern.countIn([], 1)).toBe(0)
})

test.each(['(a+)+$', '(.*)*x'])('%s, which backtracks endlessly, ends with its signal', async (source) => {
  const stop = new AbortController()
  const told: string[] = []
  let isRunning = false
  const tell = (answer: string): void => {
    if (!isRunning) return
    told.push(answer)
    stop.abort(new Error('enough'))
  }
  const pattern = await openPattern(source, stop.signal, tell, 400)
  // Excludes the start of the thread, which is not measured here.
  isRunning = (await pattern.countIn([], 1)) === 0
  await expect(pattern.countIn(['short', endless, 'later'], 1)).rejects.toThrow('enough')
  await pattern[Symbol.asyncDispose]()
  // On a busy machine, the thread may not have begun with the second line.
  expect(told).toEqual([expect.stringMatching(/does not come to an end on the line "(?:short|a{50}!)"/)])
})

test('does not match anything once the signal has fired', async () => {
  await expect(openPattern('a', AbortSignal.abort(new Error('over')), () => {})).rejects.toThrow('over')
  const stop = new AbortController()
  await using pattern = await openPattern('a', stop.signal, () => {})
  stop.abort(new Error('over'))
  await expect(pattern.countIn(['a'], 1)).rejects.toThrow('over')
})

test('does not wait for the start of its thread once the signal has fired', async () => {
  const stop = new AbortController()
  const opening = openPattern('a', stop.signal, () => {})
  stop.abort(new Error('over'))
  await expect(opening).rejects.toThrow('over')
})

describe('a judge', () => {
  test('finds the first text that the whole pattern does not match', async () => {
    await using judge = openPatternJudge()
    const asked = [
      ['b|bb', ['bb', 'b']],
      ['b+', ['b', 'ab', 'c']],
      ['.', ['\u{1F600}']],
      ['b', []],
    ] as const
    const answers = await Promise.all(asked.map(([pattern, texts]) => judge.findMismatch(pattern, texts)))
    expect(answers.map((answer) => ('text' in answer ? answer.text : answer.kind))).toEqual([
      'none',
      'ab',
      'none',
      'none',
    ])
    for (const [index, [pattern, texts]] of asked.entries())
      expect(findMismatchHere(pattern, texts)).toEqual(answers[index])
  })

  test('names the text on which a pattern does not end, and reads no later text', async () => {
    await using judge = openPatternJudge(300)
    const questions = [judge.findMismatch('b+', ['b']), judge.findMismatch('(a+)+b', ['ab', 'a'.repeat(64)])]
    const after = judge.findMismatch('b+', ['b'])
    expect(await Promise.all(questions)).toEqual([{ kind: 'none' }, { kind: 'endless', text: 'a'.repeat(64) }])
    expect(await after).toEqual({ kind: 'unknown' })
  })

  test('reports a pattern that crashes the thread as endless', async () => {
    await using judge = openPatternJudge()
    expect(await judge.findMismatch('[', ['a'])).toMatchObject({ kind: 'endless' })
    expect(await judge.findMismatch('a', ['a'])).toEqual({ kind: 'unknown' })
  })
})
