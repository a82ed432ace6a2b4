import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { posix } from 'node:path'
import type { Ignore } from '@balena/dockerignore'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readIgnoreFile } from './ignore-file.ts'

// Its types describe a default export that its CommonJS module does not have for an import.
const balena: (options: object) => Ignore = createRequire(import.meta.url)('@balena/dockerignore')

type Case = readonly [text: string, path: string, isIgnored: boolean]

const cases: readonly Case[] = [
  ['node_modules', 'node_modules', true],
  ['node_modules', 'node_modules/a/b.js', true],
  ['node_modules', 'a/node_modules', false],
  ['**/node_modules', 'a/b/node_modules/c', true],
  ['**/node_modules', 'node_modules', true],
  ['*.log', 'a.log', true],
  ['*.log', 'a/b.log', false],
  ['/dist/', 'dist/x', true],
  ['./dist', 'dist', true],
  ['a//b', 'a/b', true],
  ['a/../b', 'b', true],
  ['../b', 'b', false],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['docs/**', 'docs/a/b', true],
  ['docs/**', 'docs', false],
  ['# a comment', '# a comment', false],
  [' # not a comment', '# not a comment', true],
  ['\\#a', '#a', true],
  ['  a \t', 'a', true],
  ['a\r\nb\r\n', 'b', true],
  ['*\n!keep.txt', 'keep.txt', false],
  ['*\n!keep.txt', 'drop.txt', true],
  ['*\n! keep.txt', 'keep.txt', false],
  ['*\n!/keep.txt', 'keep.txt', false],
  ['a\n!a/b\na/b/c', 'a/b/d', false],
  ['a\n!a/b\na/b/c', 'a/b/c', true],
  ['!a\na', 'a', true],
  ['a.c', 'abc', false],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['\\!a', '!a', true],
  ['**', 'a/b', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b/c', true],
  ['a/**/b', 'ab', false],
  ['a/**/b/**/c', 'a/b/x/b/y/c', true],
  ['a/**/b/**/c', 'a/c/x/b', false],
  ['a*b*c', 'abxbc', true],
  ['a*b*c', 'abxcb', false],
  ['*.tar.gz', 'a.tar.tar.gz', true],
  ['a/*/', 'a/b/c', true],
  ['a/*/', 'a', false],
  ['.', 'a', false],
  ['/', 'a', false],
  ['*.py[co]', 'a.pyc', true],
  ['*.py[co]', 'a.py', false],
  ['*.py[co]', 'a/b.pyc', false],
  ['**/[Bb]in', 'a/Bin/x', true],
  ['**/[Bb]in', 'a/din', false],
  ['[a-c]x', 'bx', true],
  ['[a-c]x', 'dx', false],
  ['[^a-c]x', 'dx', true],
  ['[^a-c]x', 'bx', false],
  ['[a^]', '^', true],
  ['[!a]', '!', true],
  ['[!a]', 'b', false],
  ['[\\]]', ']', true],
  ['[\\-a]', '-', true],
  ['[\\\\]', '\\', true],
  ['a]', 'a]', true],
  ['a[\\*]', 'a*', true],
  ['\\^*', '^a', true],
  ['a**b', 'ab', true],
  ['a**b', 'axy/b', true],
  ['a**b', 'axb', false],
  ['a**', 'abc/d', true],
]

/** Cases in which @balena/dockerignore, a port of an older matcher of Docker's, differs from Docker. */
const notBalena: readonly Case[] = [
  // It reads characters of two UTF-16 units as two.
  ['?', '\u{1f600}', true],
  ['[\u{1f600}-\u{1f610}]', '\u{1f605}', true],
  // It keeps a byte order mark.
  ['\uFEFFa', 'a', true],
  // It takes these as parts of a regular expression.
  ['a+(b|c){1}^', 'a+(b|c){1}^', true],
  ['^a/**', '^a/b', true],
  ['**/^a', 'b/^a', true],
  ['a+', 'aa', false],
  // Docker compares the end of the path when only literal text follows `**`.
  ['**.log', 'a/b.log', true],
  ['**.log', 'b.log', true],
  ['**a/b', 'xa/b', true],
  ['**.l?g', 'b.log', false],
  ['**.l?g', 'b/.log', true],
  // In Go, a negated class matches a slash, and every folder of the path is compared.
  ['a[^b]c', 'a/c/d', true],
  // Docker's regular expressions give these a meaning of their own.
  ['a[*]', 'a[]', true],
  ['a[*]', 'a*', false],
  ['a[b?]', 'ab]', true],
  ['[[:alpha:]]x', 'bx', true],
  ['[[:^alpha:]]x', 'bx', false],
  ['^a*', 'abc', true],
  ['a^*', 'a^b', false],
  ['*.a|b', 'x.a.c', true],
  ['*.a|b', 'xb', true],
  ['*.a|b', 'bx', false],
  ['a\\d', 'a7', true],
  ['a\\d', 'ad', false],
  ['[\\W]', '-', true],
  // Past its first star, Docker is less strict with a class.
  ['x*[-a]', 'x-', true],
  ['x*[]a]', 'x]', true],
  // It cleans a line twice.
  ['*\n/!a', 'a', false],
  ['./ a', 'a', true],
]

describe('a path is ignored as Docker ignores it', () => {
  test.each([...cases, ...notBalena])('%j on %s: %s', (text, path, isIgnored) => {
    expect(readIgnoreFile(text).ignores(path)).toBe(isIgnored)
  })

  test.each(cases)('and as @balena/dockerignore does: %j on %s: %s', (text, path, isIgnored) => {
    expect(balena({ ignorecase: false }).add(text).ignores(path)).toBe(isIgnored)
  })

  test('and as @balena/dockerignore does, for patterns and paths at random', () => {
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 4 }), path, (lines, path) => {
        expect(readIgnoreFile(lines.join('\n')).ignores(path)).toBe(balenaIgnores(lines, path))
      }),
      { numRuns: Number(process.env.TESTFLEET_PROPERTY_RUNS ?? 150) },
    )
  })
})

const item = fc.constantFrom('a', 'b', 'c', '.', '*', '?', '[ab]', '[^a]', '[b-c.]', '[^a-b]', '\\*', '\\?', '\\[', ']')
const name = fc
  .array(item, { minLength: 1, maxLength: 4 })
  .map((items) => items.join(''))
  // Only as a whole name do both read `**` alike.
  .filter((name) => !name.includes('**'))
const pattern = fc
  .tuple(fc.constantFrom('', '', '!'), fc.constantFrom('', '', '/', './'), names(fc.oneof(name, fc.constant('**'))))
  .map(([exception, start, names]) => `${exception}${start}${names}`)
  // One that names nothing, such as `!/a/..`, is refused.
  .filter((pattern) => !/^[./]*$/.test(posix.normalize(pattern.replace(/^!/, ''))))
const path = names(
  fc
    .array(fc.constantFrom('a', 'b', 'c', '.', '*', '[', ']', '?'), { minLength: 1, maxLength: 4 })
    .map((part) => part.join('')),
).filter((path) => path.split('/').every((part) => !/^\.\.?$/.test(part)))

function names(one: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.array(one, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'))
}

/** Gives it one pattern and one folder at a time: of the folders of a path, it compares only some. */
function balenaIgnores(lines: readonly string[], path: string): boolean {
  const parts = path.split('/')
  const folders = parts.map((_, index) => parts.slice(0, index + 1).join('/'))
  let isIgnored = false
  for (const line of lines) {
    const isException = line.startsWith('!')
    const matcher = balena({ ignorecase: false }).add(isException ? line.slice(1) : line)
    if (folders.some((folder) => matcher.ignores(folder))) isIgnored = !isException
  }
  return isIgnored
}

test.each([
  ['[a', 2, 'the pattern "[a" has a `[` without a `]`, or with a character between them that needs a backslash'],
  ['a/[]b]', 2, 'the pattern "a/[]b]" has a `[`'],
  ['[a-]', 2, 'the pattern "[a-]" has a `[`'],
  ['[-a]', 2, 'the pattern "[-a]" has a `[`'],
  ['[^]', 2, 'the pattern "[^]" has a `[`'],
  ['[c-a]', 2, 'the pattern "[c-a]" has the empty range c-a'],
  ['!x\\', 2, 'the pattern "!x\\\\" has a backslash at its end'],
  ['!', 2, 'the pattern "!" names nothing after `!`'],
  ['!/', 2, 'the pattern "!/" names nothing after `!`'],
])('a pattern that Docker refuses is an error with its line: %s', (line, number, message) => {
  expect(() => readIgnoreFile(`fine\n${line}\n`)).toThrow(
    expect.objectContaining({ line: number, message: expect.stringContaining(message) }),
  )
})

test.each([
  ['[[:nobody:]]', 'has the unknown class [:nobody:]'],
  ['*a{2}', 'needs a backslash before `{2}`'],
  ['a\\b', 'or before a letter or digit that means nothing there'],
])('an unreadable pattern is an error, too: %s', (line, message) => {
  expect(() => readIgnoreFile(line)).toThrow(message)
})

const recorded: readonly [text: string, path: string, answer: string][] = JSON.parse(
  readFileSync(new URL('../../tests/corpus/docker-ignore.json', import.meta.url), 'utf8'),
)

test("Docker's own matcher gave the same answers for generated patterns and paths", () => {
  const answers = recorded.map(([text, path]) => [text, path, answer(text, path)])
  expect(answers).toEqual(recorded)
})

function answer(text: string, path: string): string {
  try {
    return readIgnoreFile(text).ignores(path) ? 'ignored' : 'kept'
  } catch {
    return 'error'
  }
}

test.each([
  ['data', 'data', false],
  ['data\n!other', 'data', false],
  ['data\n!*.md', 'data', false],
  ['data\n!data/keep', 'data', true],
  ['data\n!data/*/keep', 'data/a', true],
  ['data\n!data/*/keep', 'data/a/b', false],
  ['data\n!da*/keep', 'data', true],
  ['data\n!**/keep', 'data', true],
  ['data\n!data/x/**', 'data', true],
  ['data\n!data/x/**', 'data/y', false],
  ['!data\ndata', 'data', false],
  ['*\n!data2/keep', 'data', false],
  ['*\n!x|keep*', 'data', true],
])('an ignored folder is entered only if an exception can match in it: %j, %s: %s', (text, folder, isEntered) => {
  const file = readIgnoreFile(text)
  expect([file.ignores(folder), file.mayKeepInside(folder)]).toEqual([true, isEntered])
})

test('a folder that is not entered has no files that an exception includes', () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 4 }), path, (lines, path) => {
      const file = readIgnoreFile(lines.join('\n'))
      const parts = path.split('/')
      const folders = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
      const closed = folders.find((folder) => file.ignores(folder) && !file.mayKeepInside(folder))
      if (closed !== undefined) expect(file.ignores(path)).toBe(true)
    }),
    { numRuns: Number(process.env.TESTFLEET_PROPERTY_RUNS ?? 150) },
  )
})

test.each([
  ['stars in a name', '*a'.repeat(50), 'a'.repeat(250)],
  ['stars in a path', '**/a/'.repeat(200), 'a/'.repeat(1000)],
  ['both', '**/*a*a*a*a*a*b/'.repeat(50), `${'a'.repeat(60)}/`.repeat(60)],
  ['a hundred thousand stars', '*'.repeat(100_000), 'a'.repeat(10)],
])('%s do not slow a match down', (_, pattern, path) => {
  expect(readIgnoreFile(`${pattern}x`).ignores(path)).toBe(false)
})

test('more than 10000 patterns are refused with the line', () => {
  expect(readIgnoreFile('a\n'.repeat(9_999)).ignores('a')).toBe(true)
  expect(() => readIgnoreFile('a\n'.repeat(10_001))).toThrow(expect.objectContaining({ line: 10_001 }))
})
