import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadFleet } from '../config/load-fleet.ts'
import { currentHost } from '../current-host.ts'
import { imageOf } from '../model/fleet.ts'
import { prepareBuild } from './prepare-build.ts'

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'prepare-build-'))
  await writeFile(join(folder, 'testfleet.yaml'), 'servers:\n  web:\n    build: { dockerfile: Dockerfile }\n')
})

afterEach(() => rm(folder, { recursive: true }))

async function listContext(files: Readonly<Record<string, string>>): Promise<string[]> {
  for (const [name, text] of Object.entries({ Dockerfile: 'FROM scratch\n', ...files }))
    await writeFile(join(folder, name), text)
  const fleet = await loadFleet({ kind: 'file', named: undefined }, { ...currentHost(), workingFolder: folder })
  const image = imageOf(fleet.servers.get('web'))
  if (image?.kind !== 'built') throw new Error('it is not built')
  const { content } = await prepareBuild(image.recipe, undefined, fleet, undefined)
  return content.kind === 'dockerfile' ? content.entries.map(({ path }) => path) : []
}

test('files that match a character class in .dockerignore are not in the context', async () => {
  const files = {
    '.dockerignore': '*.[kp]e[ym]\n.dockerignore\ntestfleet.yaml\n',
    'a.key': '',
    'b.pem': '',
    'c.txt': '',
  }
  expect(await listContext(files)).toEqual(['Dockerfile', 'c.txt'])
})

test('a malformed pattern of .dockerignore fails with the pattern and its line', async () => {
  await expect(listContext({ '.dockerignore': '# keys\n*.[ke\n' })).rejects.toMatchObject({
    code: 'FLEET_FILE_INVALID',
    message: expect.stringMatching(/^\.dockerignore:2: the pattern "\*\.\[ke" has a `\[` without a `\]`/),
    at: { line: 3 },
  })
})

test('a malformed pattern is not quoted if the file may be outside the folder', async () => {
  const build = '{ dockerfile: Dockerfile, outside: true }'
  await writeFile(join(folder, 'testfleet.yaml'), `servers:\n  web:\n    build: ${build}\n`)
  await expect(listContext({ '.dockerignore': 'hunter2[\n' })).rejects.toMatchObject({
    message: expect.stringMatching(/^\.dockerignore:1: the pattern has a `\[` without a `\]`/),
  })
})
