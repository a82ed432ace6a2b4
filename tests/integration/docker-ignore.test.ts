import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'
import { loadFleet } from '../../src/config/load-fleet.ts'
import { currentHost } from '../../src/current-host.ts'
import { prepareBuild } from '../../src/images/prepare-build.ts'
import { imageOf } from '../../src/model/fleet.ts'
import { makeFleetFolder, removeFleetFolders } from '../support/command.ts'
import { wide } from '../support/tiers.ts'

afterAll(removeFleetFolders)

const run = promisify(execFile)

const names = [
  'a',
  'a.o',
  'b.a',
  'keep.md',
  'd1',
  'dx',
  '#x',
  '!y',
  'a b',
  '*',
  '[z]',
  'secret.pem',
  '.env',
  'x^',
  'a|b',
]
const folders = ['', 'data/', 'data/deep/', '.git/', 'a+(b)/']
const files = Object.fromEntries(folders.flatMap((folder) => names.map((name) => [`${folder}${name}`, name])))

/** Files of the image that the docker command builds of the folder. */
async function buildWithDocker(folder: string): Promise<string[]> {
  const environment = { ...process.env, DOCKER_BUILDKIT: '0' }
  const built = await run('docker', ['build', '--quiet', folder], { env: environment })
  const image = built.stdout.trim()
  const { stdout: container } = await run('docker', ['create', image, 'nothing'])
  try {
    const listed = await run('sh', ['-c', 'docker export "$0" | tar --list --quoting-style=literal', container.trim()])
    return listed.stdout.split('\n').filter((path) => path.startsWith('copied/') && !path.endsWith('/'))
  } finally {
    await run('docker', ['rm', container.trim()])
    await run('docker', ['rmi', image])
  }
}

async function collectWithTestfleet(folder: string): Promise<string[]> {
  const fleet = await loadFleet({ kind: 'file', named: undefined }, { ...currentHost(), workingFolder: folder })
  const image = imageOf(fleet.servers.get('web'))
  if (image?.kind !== 'built') throw new Error('it is not built')
  const { content } = await prepareBuild(image.recipe, undefined, fleet, undefined)
  const entries = content.kind === 'dockerfile' ? content.entries : []
  return entries.filter(({ kind }) => kind !== 'folder').map(({ path }) => `copied/${path}`)
}

describe('testfleet copies the same files as the docker command', wide, () => {
  test.each([
    '*.[oa]\n[^a]\nd[0-9]\n',
    '**\n!data\n',
    '**/*.pem\n.env\n**/.env\n',
    '/data/\n./.git\n../a\n',
    '*\n!keep.md\n!data/deep/keep.md\n',
    '\uFEFF# comment\r\n \\#x \r\n\\!y\r\na b\r\n\\*\r\n\\[z\\]\r\n',
    'data/**\n!data/deep/a\ndata/deep/a.o\n',
    '**/deep\na+(b)\n*^\n',
    'a[*]\n[[:alpha:]]\na|?\n*/a*|zz\n',
    '*/\n!d?\n/!a\n',
  ])('with the .dockerignore %j', async (text) => {
    const folder = await makeFleetFolder({
      ...files,
      '.dockerignore': `${text}\n.dockerignore\nDockerfile\ntestfleet.yaml\n`,
      Dockerfile: 'FROM scratch\nCOPY . /copied/\n',
      'testfleet.yaml': 'servers:\n  web:\n    build: { dockerfile: Dockerfile }\n',
    })
    expect((await collectWithTestfleet(folder)).sort()).toEqual((await buildWithDocker(folder)).sort())
  })
})
