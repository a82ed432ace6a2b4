import { describe, expect, test } from 'vitest'
import { formatCompleted, joinBrokenWords } from './shell-words.ts'

describe('joinBrokenWords', () => {
  test.each([
    [
      ['up', '--bind', '=', 'fi'],
      ['up', '--bind', 'fi'],
    ],
    [
      ['-f', "'my fleet.yaml'", ''],
      ['-f', 'my fleet.yaml', ''],
    ],
    [
      ['-f', '"a \\" $b"'],
      ['-f', 'a " $b'],
    ],
    [
      ['-f', 'my\\ fleet.yaml'],
      ['-f', 'my fleet.yaml'],
    ],
    [
      ['-f', '"open'],
      ['-f', 'open'],
    ],
    [
      ['=', 'x'],
      ['=', 'x'],
    ],
  ])('%j is %j', (words, joined) => {
    expect(joinBrokenWords(words)).toEqual(joined)
  })
})

describe('formatCompleted', () => {
  test('prints the kind, then one candidate per line', () => {
    const candidates = [
      { word: 'up', help: 'Start' },
      { word: 'web', help: '' },
    ]
    expect(formatCompleted({ kind: 'words', candidates })).toBe('words\nup\tStart\nweb\n')
    expect(formatCompleted({ kind: 'words', candidates: [] })).toBe('words\n')
    expect(formatCompleted({ kind: 'file' })).toBe('file\n')
  })

  test.each(['$(touch x)', '`x`', 'a b', 'a;b', 'a\nb', 'a\tb', "a'b", '', '\u001b[2J', 'a|b', '~', '!x', '*'])(
    'omits %j, which is not a plain word',
    (word) => {
      expect(formatCompleted({ kind: 'words', candidates: [{ word, help: '' }] })).toBe('words\n')
    },
  )
})
