import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { loadFleet } from '../../src/config/load-fleet.ts'
import { currentHost } from '../../src/current-host.ts'
import { FleetFileError } from '../../src/model/failures.ts'
import { generate } from '../corpus/make-hostile.ts'
import { removeFleetFolders } from '../support/command.ts'
import { type Hostile, listHostile, makeHostileFolder } from '../support/hostile-files.ts'

afterAll(removeFleetFolders)

/** Of the processor, as what else runs does not count: the promised second, on a machine that is three times slower. */
const MOST_MS = 3000
const MOST_BYTES = 300 * 1024 * 1024

/** What is wrong with how it is dealt with; undefined where nothing is. */
async function findFault({ file, content }: Hostile, folder: string): Promise<string | undefined> {
  const bytes = await content()
  await writeFile(join(folder, file), bytes)
  const before = process.cpuUsage()
  const error = await loadFleet({ kind: 'file', named: file }, { ...currentHost(), workingFolder: folder }).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  const { user, system } = process.cpuUsage(before)
  await rm(join(folder, file))
  if (error === undefined) return 'it is accepted'
  if (!(error instanceof FleetFileError)) return `it ends with ${error instanceof Error ? error.stack : error}`
  if (error.exitCode !== 2) return `the exit code is ${error.exitCode}`
  if ((user + system) / 1000 > MOST_MS) return `it takes ${Math.round((user + system) / 1000)} ms`
  const lines = Buffer.from(bytes)
    .toString()
    .split(/\r\n|\r|\n/).length
  const lost = error.mistakes.find(({ at }) => {
    return !(at.file === file && (at.line ?? 0) >= 1 && (at.line ?? 0) <= lines && (at.column ?? 0) >= 1)
  })
  if (lost !== undefined) return `a mistake stands at ${JSON.stringify(lost.at)}: ${lost.message}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(error.message)) return `the message is ${JSON.stringify(error.message)}`
  return error.mistakes.length === 0 ? 'it has no mistake' : undefined
}

test('the generated part of the corpus is what its generator makes', async () => {
  const made = new URL('../corpus/hostile/generated.jsonl', import.meta.url)
  expect((await readFile(made, 'utf8')) === generate()).toBe(true)
})

test('every hostile fleet file is refused at its place, soon, in little memory, and nothing is written', async () => {
  const folder = await makeHostileFolder()
  const there = await readdir(folder)
  const files = await listHostile()
  expect(files.length).toBeGreaterThan(500)
  expect(new Set(files.map(({ name }) => name)).size).toBe(files.length)
  const faults: string[] = []
  const before = process.memoryUsage.rss()
  for (const one of files) {
    const fault = await findFault(one, folder)
    if (fault !== undefined) faults.push(`${one.name}: ${fault}`)
  }
  expect(faults).toEqual([])
  expect(await readdir(folder)).toEqual(there)
  // The most that it ever was, of all of them.
  expect(process.resourceUsage().maxRSS * 1024 - before).toBeLessThan(MOST_BYTES)
})
