import { describe, expect, test } from 'vitest'
import { findMismatchHere, openPattern, openPatternJudge } from './match-pattern.ts'

const endless = `${'a'.repeat(50)}!`

test('a pattern is found in one of the lines, or in none', async () => {
  await using pattern = await openPattern('^b+$', AbortSignal.timeout(4000), () => {})
  expect(await pattern.countIn(['a', 'bb'], 1)).toBe(1)
  expect(await pattern.countIn(['bb', 'bbb', 'a', 'bb'], 9)).toBe(3)
  expect(await pattern.countIn(['a', 'ab'], 1)).toBe(0)
  expect(await pattern.countIn([], 1)).toBe(0)
})

test.each(['(a+)+$', '(.*)*x'])('what takes for ever on a line, as %s, ends with its signal', async (source) => {
  const stop = new AbortController()
  const told: string[] = []
  let isRunning = false
  const tell = (answer: string): void => {
    if (!isRunning) return
    told.push(answer)
    stop.abort(new Error('enough'))
  }
  const pattern = await openPattern(source, stop.signal, tell, 400)
  // The start of the thread takes time too, which is not what this test measures.
  isRunning = (await pattern.countIn([], 1)) === 0
  await expect(pattern.countIn(['short', endless, 'later'], 1)).rejects.toThrow('enough')
  await pattern[Symbol.asyncDispose]()
  expect(told).toEqual([expect.stringContaining(`does not come to an end on the line "${endless}"`)])
})

test('nothing is asked once the signal has fired', async () => {
  await using pattern = await openPattern('a', AbortSignal.abort(new Error('over')), () => {})
  await expect(pattern.countIn(['a'], 1)).rejects.toThrow('over')
})

describe('a judge', () => {
  test('finds the first text that a pattern does not match as a whole', async () => {
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

  test('names the text on which a pattern does not end, and looks at nothing after it', async () => {
    await using judge = openPatternJudge(300)
    const questions = [judge.findMismatch('b+', ['b']), judge.findMismatch('(a+)+b', ['ab', 'a'.repeat(64)])]
    const after = judge.findMismatch('b+', ['b'])
    expect(await Promise.all(questions)).toEqual([{ kind: 'none' }, { kind: 'endless', text: 'a'.repeat(64) }])
    expect(await after).toEqual({ kind: 'unknown' })
  })

  test('counts a pattern that ends the thread with an error as one that does not end', async () => {
    await using judge = openPatternJudge()
    expect(await judge.findMismatch('[', ['a'])).toMatchObject({ kind: 'endless' })
    expect(await judge.findMismatch('a', ['a'])).toEqual({ kind: 'unknown' })
  })
})
