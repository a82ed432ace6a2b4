import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Tools } from '../tools.ts'
import { PlanBasis } from './plan-basis.ts'

const root = mkdtempSync(join(tmpdir(), 'plan-basis-'))
afterAll(() => rmSync(root, { recursive: true }))

// Only what the clock says: a file gets old without waiting.
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
afterEach(() => void vi.useRealTimers())

const tools = { engine: {}, runtime: {} } as Tools
const { signal } = new AbortController()

/** Studies a plan that reads this file. */
async function study(path: string | URL, basis = new PlanBasis()): Promise<PlanBasis> {
  await basis.study(async () => void readFileSync(path), tools)
  return basis
}

function pass(ms: number): void {
  vi.setSystemTime(Date.now() + ms)
}

test('a new file makes the next plan wait until the file is old enough, and the copy is then known', async () => {
  const file = join(root, 'file')
  writeFileSync(file, '')
  const basis = await study(file)
  pass(1500)
  expect(basis.isWanted).toBe(false)
  pass(60_000)
  expect(basis.isWanted).toBe(true)
  expect(await basis.beginCheck(signal)()).toBe(false)
  await study(file, basis)
  expect([basis.isWanted, await basis.beginCheck(signal)()]).toEqual([false, true])
  const check = basis.beginCheck(signal)
  writeFileSync(file, 'changed after the check began')
  expect(await check()).toBe(false)
})

test('a plan that can never be relied on is not made again', async () => {
  const file = join(root, 'by-url')
  writeFileSync(file, '')
  const basis = await study(pathToFileURL(file))
  pass(24 * 60 * 60_000)
  expect(basis.isWanted).toBe(false)
})
