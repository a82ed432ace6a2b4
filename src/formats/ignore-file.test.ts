import { expect, test } from 'vitest'
import { compileIgnoreFile } from './ignore-file.ts'

test.each([
  ['node_modules', 'node_modules', true],
  ['node_modules', 'node_modules/a/b.js', true],
  ['node_modules', 'a/node_modules', false],
  ['**/node_modules', 'a/b/node_modules/c', true],
  ['**/node_modules', 'node_modules', true],
  ['*.log', 'a.log', true],
  ['*.log', 'a/b.log', false],
  ['/dist/', 'dist/x', true],
  ['a?c', 'abc', true],
  ['a?c', 'a/c', false],
  ['docs/**', 'docs/a/b', true],
  ['# a comment', 'a comment', false],
  ['*\n!keep.txt', 'keep.txt', false],
  ['*\n!keep.txt', 'drop.txt', true],
  ['!a\na', 'a', true],
  ['a.c', 'abc', false],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['docs/**', 'docs', false],
  ['**', 'a/b', true],
  ['a/**/b', 'a/b', true],
  ['a/**/b', 'a/x/y/b/c', true],
  ['a/**/b/**/c', 'a/b/x/b/y/c', true],
  ['a/**/b/**/c', 'a/c/x/b', false],
  ['a*b*c', 'abxbc', true],
  ['a*b*c', 'abxcb', false],
  ['*.tar.gz', 'a.tar.tar.gz', true],
  ['?', '\u{1f600}', true],
  ['a/*/', 'a/b/c', true],
  ['.', 'a', false],
  ['!', 'a', false],
])('%j on %s: %s', (text, path, isIgnored) => {
  expect(compileIgnoreFile(text)(path)).toBe(isIgnored)
})

test.each([
  ['stars in a name', '*a'.repeat(50), 'a'.repeat(250)],
  ['stars in a path', '**/a/'.repeat(200), 'a/'.repeat(1000)],
  ['both', '**/*a*a*a*a*a*b/'.repeat(50), `${'a'.repeat(60)}/`.repeat(60)],
])('%s do not hold it up', (_, pattern, path) => {
  const isIgnored = compileIgnoreFile(`${pattern}x`)
  expect(isIgnored(path)).toBe(false)
})
