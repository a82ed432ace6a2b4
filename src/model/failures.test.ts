import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { failureCodes, fleetFileInvalid, isFailure, TestfleetError } from './failures.ts'

describe('the catalogue', () => {
  test('matches docs/failures.md, code by code', async () => {
    const page = await readFile(new URL('../../docs/failures.md', import.meta.url), 'utf8')
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d+) \|/gm)].map(([, code, exit]) => [code, Number(exit)])
    expect(rows).toEqual(Object.entries(failureCodes))
  })

  test('gives each failure its exit code', () => {
    expect(new TestfleetError('READY_TIMEOUT', 'x').exitCode).toBe(4)
    expect(isFailure(new TestfleetError('USAGE', 'x'), 'USAGE')).toBe(true)
    expect(isFailure(new Error('a bug'))).toBe(false)
  })

  test('prints every mistake of a fleet file with its position', () => {
    const error = fleetFileInvalid([
      { at: { file: 'f.yaml', line: 2, column: 3 }, field: 'servers.a', message: 'is missing' },
      { at: { file: 'f.ts' }, field: '', message: 'is empty' },
    ])
    expect(error.message).toBe('f.yaml:2:3: servers.a: is missing\nf.ts: is empty')
    expect(error.exitCode).toBe(2)
  })
})
