import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { makeFleetFolder, removeFleetFolders } from '../support/command.ts'
import { type Build, type Files, type ImageHarness, openImageHarness } from '../support/image-harness.ts'

let images: ImageHarness

beforeAll(async () => {
  images = await openImageHarness()
})

afterAll(async () => {
  await images.close()
  await removeFleetFolders()
})

const copyAll = 'FROM debian:bookworm-slim\nCOPY . /app/\n'

/** A Dockerfile that is not of the context has to be sent with it all the same, where `COPY .` sees it. */
const sentDockerfile = './.testfleet.Dockerfile'

/** The paths below /app, sorted. */
async function listApp(build: Build, files: Files): Promise<string[]> {
  const id = await images.start(build, files)
  const text = await images.shell(id, 'cd /app && find . -mindepth 1 | LC_ALL=C sort')
  return text.trimEnd().split('\n')
}

describe("a user's own Dockerfile", () => {
  test('copies from its own folder', async () => {
    const files = { 'app/Dockerfile': copyAll, 'app/a': 'a', 'app/sub/b': 'b', outside: 'x' }
    expect(await listApp({ dockerfile: 'app/Dockerfile' }, files)).toEqual(['./Dockerfile', './a', './sub', './sub/b'])
  })

  test('copies from its context, which can be another folder', async () => {
    const files = { 'docker/web.Dockerfile': copyAll, 'app/a': 'a' }
    expect(await listApp({ dockerfile: 'docker/web.Dockerfile', context: 'app' }, files)).toEqual([
      sentDockerfile,
      './a',
    ])
  })

  test('does not copy the files that .dockerignore names', async () => {
    const files = {
      Dockerfile: copyAll,
      '.dockerignore': '# not these\nDockerfile\n.dockerignore\n**/*.log\nsecret/\n!secret/public\nnode_modules\n',
      a: 'a',
      'a.log': 'log',
      'sub/b.log': 'log',
      'sub/b': 'b',
      'secret/key': 'key',
      'secret/public': 'public',
      'node_modules/x/index.js': '',
    }
    expect(await listApp({ dockerfile: 'Dockerfile' }, files)).toEqual([
      sentDockerfile,
      './a',
      './secret',
      './secret/public',
      './sub',
      './sub/b',
    ])
  })

  test('can have its own .dockerignore, which takes precedence', async () => {
    const files = {
      'web.Dockerfile': copyAll,
      'web.Dockerfile.dockerignore': 'b\n*ocker*\n',
      '.dockerignore': 'a\n',
      a: 'a',
      b: 'b',
    }
    expect(await listApp({ dockerfile: 'web.Dockerfile' }, files)).toEqual([sentDockerfile, './a'])
  })

  test('gets its arguments, and is built up to its target', async () => {
    const dockerfile = [
      'ARG BASE=scratch',
      'FROM $BASE AS first',
      'ARG NUMBER=0',
      'ARG TEXT="from the file"',
      `RUN printf '%s|%s' "$NUMBER" "$TEXT" > /args`,
      'FROM first AS second',
      'RUN exit 1',
    ].join('\n')
    const args = { BASE: 'debian:bookworm-slim', NUMBER: 7, TEXT: 'two "words" $HOME' }
    const id = await images.start({ dockerfile: 'Dockerfile', target: 'first', args }, { Dockerfile: dockerfile })
    expect(await images.shell(id, 'cat /args')).toBe('7|two "words" $HOME')
  })

  test('determines the name of the image by its text, context, arguments and target', async () => {
    const files = { Dockerfile: copyAll, '.dockerignore': 'ignored\n', a: 'a', ignored: '1' }
    const folder = await makeFleetFolder(files)
    const digestOf = async (build: Build): Promise<string> =>
      (await images.digests({ servers: { one: { build } } }, folder)).one ?? ''
    const build = { dockerfile: 'Dockerfile' }
    const first = await digestOf(build)
    await writeFile(join(folder, 'ignored'), '2')
    expect(await digestOf(build)).toBe(first)
    const others = [await digestOf({ ...build, args: { A: '1' } }), await digestOf({ ...build, target: 'x' })]
    await writeFile(join(folder, 'a'), 'b')
    others.push(await digestOf(build))
    await writeFile(join(folder, 'a'), 'a')
    await writeFile(join(folder, 'Dockerfile'), `${copyAll}# more\n`)
    others.push(await digestOf(build))
    expect(new Set([first, ...others]).size).toBe(5)
  })

  test('is not affected by another Dockerfile next to the fleet file', async () => {
    const folder = await makeFleetFolder({ Dockerfile: copyAll })
    const servers = { one: { build: { dockerfile: 'Dockerfile' } } }
    const [bare, based] = [
      await images.digests({ servers }, folder),
      await images.digests({ servers, base: { run: ['true'] } }, folder),
    ]
    expect(based).toEqual(bare)
  })
})
