import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findProgram } from './find-program.ts'

const root = mkdtempSync(join(tmpdir(), 'find-program-'))
afterAll(() => rmSync(root, { recursive: true }))
mkdirSync(join(root, 'bin'))
const script = (name: string, text: string, mode = 0o755): void => {
  writeFileSync(join(root, 'bin', name), text)
  chmodSync(join(root, 'bin', name), mode)
}
script('serve', '#!/bin/sh\n')
script('broken', '#!/no/such/interpreter -x\n')
script('plain', 'text', 0o644)

const find = (program: string, folder = root): string =>
  findProgram({ command: [program, 'x'], folder, environment: { PATH: `/no/such:${root}/bin` } })

describe.skipIf(process.platform === 'win32')('the program of a server', () => {
  test('is found on the PATH of the server, and by a path from its folder', () => {
    expect(find('serve')).toBe(join(root, 'bin/serve'))
    expect(find('./bin/serve')).toBe(join(root, 'bin/serve'))
    expect(find(join(root, 'bin/serve'))).toBe(join(root, 'bin/serve'))
  })

  for (const [program, what] of [
    ['nowhere', `"nowhere" is in no folder of the PATH: /no/such:${root}/bin`],
    ['plain', '"plain" is in no folder of the PATH'],
    ['./serve', `${root}/serve: no such file or folder`],
    ['./bin/plain', `${root}/bin/plain: it is not an executable file`],
    ['./bin', 'it is not an executable file'],
    ['broken', 'its interpreter /no/such/interpreter does not exist'],
  ] as const) {
    test(`fails with COMMAND_NOT_FOUND for ${program}`, () => {
      expect(() => find(program)).toThrow(
        expect.objectContaining({ code: 'COMMAND_NOT_FOUND', message: expect.stringContaining(what) }),
      )
    })
  }

  test('is reported with the first folders of a long PATH', () => {
    const PATH = Array.from({ length: 40 }, (_, index) => `/folder${index + 1}`).join(':')
    expect(() => findProgram({ command: ['nowhere'], folder: root, environment: { PATH } })).toThrow(
      'the PATH: /folder1:/folder2:/folder3:/folder4:/folder5 and 35 more',
    )
  })

  test('fails with START_FAILED when its working folder is missing, or is a file', () => {
    const failed = (what: string) =>
      expect.objectContaining({ code: 'START_FAILED', message: expect.stringContaining(what) })
    expect(() => find('serve', join(root, 'none'))).toThrow(failed(`${root}/none cannot be used: no such file`))
    expect(() => find('serve', join(root, 'bin/serve'))).toThrow(failed('it is a file'))
  })
})
