import { afterEach, expect, test, vi } from 'vitest'
import { fleetTest as mochaTest } from './mocha.ts'
import { fleetTest as nodeTest } from './node-test.ts'

const declared = vi.hoisted(() => vi.fn())

vi.mock('node:test', () => ({
  after() {},
  test: Object.assign(declared, { only: declared, skip: declared, todo: declared }),
}))

afterEach(() => {
  vi.unstubAllGlobals()
  declared.mockReset()
})

test('a test of Mocha without a function is pending', () => {
  vi.stubGlobal('it', declared)
  vi.stubGlobal('after', () => {})
  mochaTest('./testfleet.yaml')('a title')
  expect(declared).toHaveBeenCalledWith('a title', undefined)
})

test('a test of node:test without a function starts no fleet', async () => {
  const it = nodeTest('./testfleet.yaml')
  await it.todo('a title')
  await it.todo('another title', { timeout: 1 })
  expect(declared.mock.calls).toEqual([
    ['a title', {}, undefined],
    ['another title', { timeout: 1 }, undefined],
  ])
})
