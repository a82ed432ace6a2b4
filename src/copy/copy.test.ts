import { describe, expect, test } from 'vitest'
import { readCopyEnds } from './copy.ts'
import { decideArrival, type Kind, readEnd, readServerPath, requireOnDisk } from './copy-paths.ts'

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

  test('a path in a server is absolute, and cannot leave the root', () => {
    expect(readServerPath('../../etc/./passwd').path).toBe('/etc/passwd')
    expect(readServerPath('data/.')).toEqual({ path: '/data', isContents: true, isFolder: true })
    for (const text of ['', 'a\0b', 'a'.repeat(5000)]) {
      expect(() => readServerPath(text)).toThrow(expect.objectContaining({ code: 'USAGE' }))
    }
  })
})

describe('a path that exists only in a running server', () => {
  test.each(['/proc', '/proc/cpuinfo', '/sys/x', '/dev/null', '/dev/shm/x'])('%s is refused', (path) => {
    const code = 'COPY_FAILED'
    const hint = expect.stringContaining(`cat ${path}`)
    expect(() => requireOnDisk(path, 'web')).toThrow(expect.objectContaining({ code, hint }))
  })

  test.each(['/', '/process', '/srv/dev/x'])('%s is accepted', (path) => {
    expect(() => requireOnDisk(path, 'web')).not.toThrow()
  })
})

describe('the target of a copy', () => {
  const arrive = (kind: 'file' | 'folder', from: string, to: string, there: Kind) =>
    decideArrival({
      from: { kind, name: 'src', isContents: readEnd(from).isContents },
      to: { path: '/a/b', kind: there, isFolder: readEnd(to).isFolder },
      parent: '/a',
      last: 'b',
      where: 'in web',
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
    ['file', 'src', 'b/', undefined, 'there is no folder /a/b in web'],
    ['file', 'src', 'b/', 'file', '/a/b in web is not a folder'],
    ['folder', 'src', 'b', 'file', '/a/b in web is a file; a folder cannot replace it'],
    ['folder', 'src/.', 'b', 'file', '/a/b in web is a file; a folder cannot replace it'],
  ] as const)('of a %s %s to %s, where there is %s, is refused', (kind, from, to, there, message) => {
    expect(() => arrive(kind, from, to, there)).toThrow(expect.objectContaining({ code: 'COPY_FAILED', message }))
  })
})
