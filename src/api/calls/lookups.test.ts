import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { currentHost } from '../../current-host.ts'
import { openLookups } from './lookups.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'testfleet-completion-'))
  const files = {
    'testfleet.yaml': 'servers: { web: {}, db: { wrong: 1 }, "$(touch ran)": {}, "a b": {} }\n',
    'broken.yaml': 'servers: { web: [\n',
    'list.yaml': '- web\n',
    'program.mjs': "import { writeFileSync } from 'node:fs'\nwriteFileSync('ran', '')\nexport default {}\n",
  }
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const open = () => {
  const environment = { HOME: folder, DOCKER_HOST: `unix://${folder}/none.sock` }
  return openLookups({ ...currentHost(), workingFolder: folder, environment }, new AbortController().signal)
}

test('finds the servers of a fleet file that has mistakes, and only names that a server can have', async () => {
  expect(await open().servers({})).toEqual(['web', 'db'])
  expect(await open().servers({ file: '~/testfleet.yaml' })).toEqual(['web', 'db'])
})

test.each(['missing.yaml', 'broken.yaml', 'list.yaml', '.'])('finds nothing in %s', async (file) => {
  expect(await open().servers({ file })).toEqual([])
})

test('does not run a fleet file that is a program', async () => {
  expect(await open().servers({ file: 'program.mjs' })).toEqual([])
  await expect(rm(join(folder, 'ran'))).rejects.toThrow('ENOENT')
})

test('offers no sessions and no servers of a session when no engine answers', async () => {
  expect(await open().sessions({})).toEqual([])
  expect(await open().servers({ session: 'shop' })).toEqual([])
})

test('offers each preset with its description', async () => {
  const presets = await open().presets()
  expect(presets).toContainEqual({ word: 'redis', help: expect.stringMatching(/^Redis/) })
})
