import { describe, expect, test } from 'vitest'
import { readCopyEnds } from './copy.ts'
import { decideArrival, type Kind, readEnd, readServerPath } from './copy-paths.ts'

describe('the ends of a copy', () => {
  test('are a path in a server and a path on this machine, in either order', () => {
    expect(readCopyEnds('db:/etc/passwd', '.')).toEqual({
      server: 'db',
      direction: 'out',
      from: '/etc/passwd',
      to: '.',
    })
    expect(readCopyEnds('./a:b', 'db:x')).toEqual({ server: 'db', direction: 'in', from: './a:b', to: 'x' })
    expect(readCopyEnds('-', 'db:/tmp')).toMatchObject({ direction: 'in', from: '-' })
  })

  test.each([
    ['a', 'b'],
    ['db:/x', 'web:/y'],
    ['/a:b', './c:d'],
  ])('%s and %s are refused', (from, to) => {
    expect(() => readCopyEnds(from, to)).toThrow(expect.objectContaining({ code: 'USAGE' }))
  })

  test('a path of a server begins at its root, and cannot leave it', () => {
    expect(readServerPath('../../etc/./passwd').path).toBe('/etc/passwd')
    expect(readServerPath('data/.')).toEqual({ path: '/data', isContents: true, isFolder: true })
    for (const text of ['', 'a\0b', 'a'.repeat(5000)]) {
      expect(() => readServerPath(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    }
  })
})

describe('the target of a copy', () => {
  const arrive = (kind: 'file' | 'folder', from: string, to: string, there: Kind) =>
    decideArrival({
      from: { kind, name: 'src', isContents: readEnd(from).isContents },
      to: { path: '/a/b', kind: there, isFolder: readEnd(to).isFolder },
      parent: '/a',
      last: 'b',
    })

  test.each([
    ['file', 'src', 'b', undefined, { folder: '/a', name: 'b' }],
    ['file', 'src', 'b', 'file', { folder: '/a', name: 'b' }],
    ['file', 'src', 'b', 'folder', { folder: '/a/b', name: 'src' }],
    ['file', 'src', 'b/', 'folder', { folder: '/a/b', name: 'src' }],
    ['folder', 'src', 'b', undefined, { folder: '/a', name: 'b' }],
    ['folder', 'src', 'b/', undefined, { folder: '/a', name: 'b' }],
    ['folder', 'src/.', 'b', undefined, { folder: '/a', name: 'b' }],
    ['folder', 'src', 'b', 'folder', { folder: '/a/b', name: 'src' }],
    ['folder', 'src/.', 'b', 'folder', { folder: '/a/b', name: '' }],
  ] as const)('of a %s %s to %s, where there is %s, is that of docker cp', (kind, from, to, there, expected) => {
    expect(arrive(kind, from, to, there)).toEqual(expected)
  })

  test.each([
    ['file', 'src', 'b/', undefined],
    ['file', 'src', 'b/', 'file'],
    ['folder', 'src', 'b', 'file'],
    ['folder', 'src/.', 'b', 'file'],
  ] as const)('of a %s %s to %s, where there is %s, is refused', (kind, from, to, there) => {
    expect(() => arrive(kind, from, to, there)).toThrow(expect.objectContaining({ code: 'COPY_FAILED' }))
  })
})
