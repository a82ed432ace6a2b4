import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { generate } from '../corpus/make-hostile.ts'
import { removeFleetFolders } from '../support/command.ts'
import { listHostile, makeHostileFolder } from '../support/hostile-files.ts'
import type { Measured } from '../support/measure-hostile.ts'

afterAll(removeFleetFolders)

const MOST_BYTES = 300 * 1024 * 1024

test('the generated part of the corpus matches its generator', async () => {
  const made = new URL('../corpus/hostile/generated.jsonl', import.meta.url)
  expect((await readFile(made, 'utf8')) === generate()).toBe(true)
})

test('hostile fleet files are refused with a position, quickly, in little memory, and nothing is written', async () => {
  const files = await listHostile()
  expect(files.length).toBeGreaterThan(500)
  expect(new Set(files.map(({ name }) => name)).size).toBe(files.length)
  const program = join(import.meta.dirname, '../support/measure-hostile.ts')
  // What waits to be collected would count too: a small heap keeps that part small.
  const words = ['--max-old-space-size=200', program, await makeHostileFolder()]
  const { stdout } = await promisify(execFile)(process.execPath, words)
  const measured: Measured = JSON.parse(stdout)
  expect(measured.faults).toEqual([])
  // A third of them in most runs: see someOf.
  expect(measured.count).toBeGreaterThan(files.length / 3 - 1)
  expect(measured.left).toEqual(measured.there)
  expect(measured.mostBytes).toBeLessThan(MOST_BYTES)
})
