import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { makeFleetFolder, removeFleetFolders, runTestfleet } from '../support/command.ts'
import { openFalseEngine, saysNothing } from '../support/false-engine.ts'
import { type Hostile, listHostile, makeHostileFolder } from '../support/hostile-files.ts'
import { wide } from '../support/tiers.ts'

afterEach(removeFleetFolders)

/** Of the processor, the start of the command included: the promised second, on a machine that is three times slower. */
const MOST_MS = 3000
const MOST_BYTES = 300 * 1024 * 1024

/** Loaded into the command, it writes what the process has used when it ends. */
const tellUse = `const { writeFileSync } = require('node:fs')
process.on('exit', () => writeFileSync(process.env.TELL_USE, JSON.stringify(process.resourceUsage())))
`

/** What is wrong with how the command deals with it; undefined where nothing is. */
async function findFault({ file, content }: Hostile, folder: string, engineUrl: string): Promise<string | undefined> {
  const own = await makeFleetFolder({ 'tell-use.cjs': tellUse })
  await writeFile(join(folder, file), await content())
  const there = await readdir(folder)
  const env = {
    DOCKER_HOST: engineUrl,
    TMPDIR: folder,
    TELL_USE: join(own, 'use.json'),
    NODE_OPTIONS: `--require=${join(own, 'tell-use.cjs')}`,
  }
  const { exitCode, stdout, stderr } = await runTestfleet(['up', '--json', '-f', file], { cwd: folder, env })
  const left = await readdir(folder)
  await rm(join(folder, file))
  if (exitCode !== 2) return `the exit code is ${exitCode}: ${stderr}`
  const { error } = JSON.parse(stdout)
  if (error.code !== 'FLEET_FILE_INVALID' || error.file !== file || !(error.line >= 1) || !(error.column >= 1))
    return `it says ${JSON.stringify(error).slice(0, 300)}`
  if (left.join() !== there.join()) return `there are ${left.join()}`
  const { maxRSS, userCPUTime, systemCPUTime } = JSON.parse(await readFile(env.TELL_USE, 'utf8'))
  if (maxRSS * 1024 > MOST_BYTES) return `it takes ${maxRSS} KB`
  const usedMs = Math.round((userCPUTime + systemCPUTime) / 1000)
  return usedMs > MOST_MS ? `it takes ${usedMs} ms` : undefined
}

async function expectAllRefused(files: readonly Hostile[]): Promise<void> {
  await using engine = await openFalseEngine(saysNothing)
  const rest = [...files]
  const faults: string[] = []
  const work = async (): Promise<void> => {
    const folder = await makeHostileFolder()
    for (let one = rest.pop(); one !== undefined; one = rest.pop()) {
      const fault = await findFault(one, folder, engine.url)
      if (fault !== undefined) faults.push(`${one.name}: ${fault}`)
    }
  }
  await Promise.all([work(), work()])
  expect(faults).toEqual([])
  expect(engine.calls, 'calls of the engine').toBe(0)
}

/** The slowest, and one of each kind; `tests/integration/hostile-files` refuses all of them without the command. */
const chosen = [
  ...['alias-bomb.yaml', 'utf-16-le.yaml', 'path-pipe.yaml', 'json-half-character.json'],
  ...['thousands of servers', 'one key again and again', 'two megabytes of NUL', 'everybody depends on everybody'],
]

test('the command refuses typical hostile fleet files with a position, quickly, in little memory, without asking an engine', async () => {
  const files = (await listHostile()).filter(({ name }) => chosen.includes(name))
  expect(files).toHaveLength(chosen.length)
  await expectAllRefused(files)
})

test('the command refuses every hostile fleet file of the corpus in the same way', {
  ...wide,
  timeout: 40 * 60_000,
}, async () => {
  await expectAllRefused(await listHostile())
})
