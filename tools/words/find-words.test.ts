import { expect, test } from 'vitest'
import { findWords } from './find-words.ts'

const foundIn = (path: string, text: string) => findWords(path, text).map(({ found }) => found)

test.each([
  ['Both are mended.', 'mended'],
  ['It is made anew.', 'anew'],
  ['Ask once more.', 'once more'],
  ['what prune tells of', 'tells of'],
  ['Every mistake is told at once.', 'is told'],
  ['what is missing is said', 'is said'],
  ['Whoever sees nobody', 'Whoever'],
  ['the command is missing behind `--`', 'missing behind'],
  ['What stands behind `--`.', 'stands behind'],
  ['the command is missing in front of -f', 'missing in front of'],
  ['the file lies in the folder', 'lies in'],
  ['where it lies', 'where it lies'],
  ['a check that does not hold.', 'check that does not hold'],
  ['lets a client in', 'lets'],
  ['Take `address` away', 'Take `…` away'],
  ['the list beside it', 'beside it'],
  ['with so many servers', 'so many'],
  ['But for leases.', 'But for'],
  ['for who is not root', 'for who is'],
  ['where that can be had', 'can be had'],
  ['The session, of which nothing may be there.', 'of which nothing'],
  ['what a call that died had asked for that came late', 'what a call that died had asked for that'],
])('finds the words that style forbids on a page: %s', (text, word) => {
  expect(foundIn('page.md', text)).toEqual([word])
})

test.each([
  'Nothing is left behind.',
  'a server behind a proxy, in front of a database',
  'The holder holds a lease, and a holder can be killed.',
  'The engine lies about its version.',
  'A mendacious amendment, a scenery and an outlet.',
  'It cannot be told apart; nobody is told to do it.',
  'This stands for a name.',
  'Use `behind` and `let`, never `anew`.',
  'Keep it away from the file.',
])('accepts ordinary meanings of these words: %s', (text) => {
  expect(foundIn('page.md', text)).toEqual([])
})

test('allows "of its own" once on a page', () => {
  expect(foundIn('page.md', 'a process of its own')).toEqual([])
  expect(foundIn('page.md', 'a process of its own, with a file\nof its own')).toEqual(['of its own'])
})

test('reads comments, strings and test titles of a program, but not its code', () => {
  const source = [
    'let anew = 1 // made anew',
    "test('asks once more', () => {})",
    'const message = `${anew} is mended, ${anew}`',
    'const pattern = /anew/',
    '/** Texts. */',
    '/**',
    ' * What told',
    ' * of a fleet.',
    ' */',
  ].join('\n')
  expect(foundIn('a.ts', source)).toEqual(['anew', 'once more', 'mended', '/** Texts. */', 'told of'])
})

test('does not read the examples of a page', () => {
  expect(foundIn('page.md', 'A page.\n\n```sh\nlet i=1 # anew\n```\n\nwith [a link](docs/anew.md)\n')).toEqual([])
})

test('reports the line and column in the file, even for a phrase on two lines', () => {
  expect(findWords('a.ts', '// fine\n  // It told\n  // of here.\n')).toEqual([
    { line: 2, column: 9, found: 'told of', write: expect.any(String) },
  ])
})

test('finds docstrings that hide their subject, on request', () => {
  const source = '/** What it takes. */\n/**\n * Of a server.\n */\n/** Starts a server. */\n'
  expect(foundIn('a.ts', source)).toEqual([])
  expect(findWords('a.ts', source, true).map(({ line }) => line)).toEqual([1, 2])
})
