import { expect, test } from 'vitest'
import { countContext } from './collect-files.ts'

test('a context with too many files is refused with the folders that contain most of them', () => {
  const size = countContext({ files: 5, bytes: 1000 })
  for (const folder of ['site', 'site/node_modules', 'site/node_modules', 'a', 'site/node_modules'])
    size.add(folder, 1, undefined)
  expect(() => size.add('a', 1, { file: 'f.yaml', line: 3, column: 4 })).toThrow(
    expect.objectContaining({
      code: 'FLEET_FILE_INVALID',
      message: 'what is copied has more than 5 files, so far most of them from site/node_modules (3), a (2), site (1)',
      at: { file: 'f.yaml', line: 3, column: 4 },
      hint: expect.stringContaining('.dockerignore'),
    }),
  )
})

test('a context that is too large is refused with the largest folders', () => {
  const size = countContext({ files: 5, bytes: 4096 })
  size.add('small', 96, undefined)
  expect(() => size.add('large', 4001, undefined)).toThrow(
    'what is copied has more than 4 KiB, so far most of them from large (3.9 KiB), small (96 bytes)',
  )
})

test('a context may have 200000 files and 8 GiB', () => {
  const size = countContext()
  for (let count = 0; count < 200_000; count += 1) size.add('x', 1000, undefined)
  expect(() => size.add('x', 0, undefined)).toThrow('more than 200000 files')
  const large = countContext()
  large.add('x', 8 * 1024 ** 3 - 1, undefined)
  expect(() => large.add('x', 1, undefined)).toThrow('more than 8 GiB')
})
