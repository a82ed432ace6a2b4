import { expect, test } from 'vitest'
import { isContainerPath, isHostPath, isInside, showPath, slashPath } from './paths.ts'

test.each([
  ['/a', '/a', true],
  ['/a/b', '/a', true],
  ['/ab', '/a', false],
  ['/', '/a', false],
  ['/a/..b', '/a', true],
  ['/a/../b', '/a', false],
  ['/a', '/', true],
])('isInside: whether %s is inside %s is %s', (path, root, isIn) => {
  expect(isInside(path, root)).toBe(isIn)
})

test('showPath shortens a path inside the folder, and no other path', () => {
  expect(showPath('/a/b/c', '/a')).toBe('b/c')
  expect(showPath('/a/..b/c', '/a')).toBe('..b/c')
  expect(showPath('/b/c', '/a')).toBe('/b/c')
})

test('slashPath returns the path from a folder to another path, with slashes', () => {
  expect(slashPath('/a', '/a/b/c')).toBe('b/c')
  expect(slashPath('/a', '/a')).toBe('')
  expect(slashPath('/a', '/b')).toBe('../b')
})

test('a container path is absolute, and cannot leave its folder', () => {
  expect(['/a', '/a b', '/..a', 'a', '/a/../b', '/a\nb', '/\ud800'].map(isContainerPath)).toEqual([
    ...[true, true, true],
    ...[false, false, false, false],
  ])
})

test('a host path is any text that a system accepts as a path', () => {
  expect(['a', '../a', '/a', '', 'a\0', 'a'.repeat(5000)].map(isHostPath)).toEqual([
    true,
    true,
    true,
    false,
    false,
    false,
  ])
})
