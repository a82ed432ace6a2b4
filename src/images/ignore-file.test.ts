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
])('%j on %s: %s', (text, path, isIgnored) => {
  expect(compileIgnoreFile(text)(path)).toBe(isIgnored)
})
