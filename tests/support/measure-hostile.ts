import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadFleet } from '../../src/config/load-fleet.ts'
import { currentHost } from '../../src/current-host.ts'
import { isFailure } from '../../src/model/failures.ts'
import { type Hostile, listHostile } from './hostile-files.ts'
import { someOf } from './property-runs.ts'

/**
 * A program of its own, so that no other test counts in its memory and its CPU time. Loads hostile fleet files in the folder
 * that its argument names, and prints what it found as JSON.
 */
export interface Measured {
  readonly count: number
  readonly faults: readonly string[]
  /** The content of the folder before and after. */
  readonly there: readonly string[]
  readonly left: readonly string[]
  /** The most memory that the process ever took, above what it took before the first file. */
  readonly mostBytes: number
}

/** CPU time, because the load of the machine does not count: the promised second, on a machine three times slower. */
const MOST_MS = 3000

/** Says what is wrong with how a file is refused; undefined when nothing is. */
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
  if (!isFailure(error, 'FLEET_FILE_INVALID')) return `it ends with ${error instanceof Error ? error.stack : error}`
  if (error.exitCode !== 2) return `the exit code is ${error.exitCode}`
  if ((user + system) / 1000 > MOST_MS) return `it takes ${Math.round((user + system) / 1000)} ms`
  const lines = Buffer.from(bytes)
    .toString()
    .split(/\r\n|\r|\n/).length
  const lost = error.mistakes.find(({ at }) => {
    return !(at.file === file && (at.line ?? 0) >= 1 && (at.line ?? 0) <= lines && (at.column ?? 0) >= 1)
  })
  if (lost !== undefined) return `a mistake is at ${JSON.stringify(lost.at)}: ${lost.message}`
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
  if (/[\u0000-\u0009\u000b-\u001f\u007f]/.test(error.message)) return `the message is ${JSON.stringify(error.message)}`
  return error.mistakes.length === 0 ? 'it has no mistake' : undefined
}

async function measure(folder: string): Promise<Measured> {
  const files = someOf(await listHostile())
  const faults: string[] = []
  const there = await readdir(folder)
  const before = process.memoryUsage.rss()
  for (const one of files) {
    const fault = await findFault(one, folder)
    if (fault !== undefined) faults.push(`${one.name}: ${fault}`)
  }
  const mostBytes = process.resourceUsage().maxRSS * 1024 - before
  return { count: files.length, faults, there, left: await readdir(folder), mostBytes }
}

const [, , folder] = process.argv
if (folder !== undefined) process.stdout.write(JSON.stringify(await measure(folder)))
