import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { fleetTest as mochaTest } from './mocha.ts'

const folder = mkdtempSync(join(tmpdir(), 'pending-'))
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  vi.unstubAllGlobals()
})

test('a test of Mocha without a function is pending', () => {
  const declared = vi.fn()
  vi.stubGlobal('it', declared)
  vi.stubGlobal('after', () => {})
  mochaTest('./testfleet.yaml')('a title')
  expect(declared).toHaveBeenCalledWith('a title', undefined)
})

test('a test of node:test without a function starts no fleet', () => {
  const file = join(folder, 'pending.test.mjs')
  const module = join(import.meta.dirname, 'node-test.ts')
  // The fleet file does not exist: a fleet that had to start would fail.
  writeFileSync(
    file,
    `import { fleetTest } from ${JSON.stringify(module)}
const test = fleetTest('./nowhere.yaml')
test('a title')
test.todo('another title', { timeout: 1 })
`,
  )
  const { stdout, status } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', file], {
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  })
  expect(stdout).toMatch(/^ok 1 - a title$/m)
  expect(stdout).toMatch(/^ok 2 - another title # TODO$/m)
  expect(status).toBe(0)
})
