import { execFileSync } from 'node:child_process'
import { stat, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { mainFile, SOON_MS, withEngine } from '../support/command.ts'
import { type OwnEngine, openOwnEngine, whyNoOwnEngine } from '../support/own-engine.ts'
import { hasImage } from '../support/raw-engine.ts'
import { base, endFleets, makeFleet, messageOf, type TestFleet } from '../support/test-fleet.ts'
import { wide } from '../support/tiers.ts'

afterAll(endFleets)

/** Small images that start from nothing. */
const small = (name: string): string => `${name}: { build: { context: ${name}, dockerfile: ${name}/Dockerfile } }`
/** Saving an image takes long on a busy machine. */
const timeoutMs = 5 * SOON_MS
const dockerfile = 'FROM scratch\nCOPY file /file\n'

describe('the images of a fleet', () => {
  let fleet: TestFleet
  let images: readonly string[]
  const archive = () => join(fleet.folder, 'images.tar')
  const remove = (image = '') => withEngine((engine) => engine.removeImage(image))

  beforeAll(async () => {
    fleet = await makeFleet(['one', 'two'].map(small), {
      'one/Dockerfile': dockerfile,
      'one/file': 'one',
      'two/Dockerfile': dockerfile,
      'two/file': 'two',
    })
  })

  test('are built and saved in a file, which is kept while it has the same images', async () => {
    const { exitCode, stdout, stderr } = await fleet.run(['save', 'images.tar'])
    expect(exitCode, stderr).toBe(0)
    expect(stdout).toBe('saved 2 images (1 MB) to images.tar\n')
    images = [...(await fleet.listImages())].sort()
    const { mtimeMs, size } = await stat(archive())
    const again = await fleet.run(['save', 'images.tar', '--json'])
    expect(JSON.parse(again.stdout)).toEqual({
      file: 'images.tar',
      images: images.map((image) => ({ image, id: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) })),
      bytes: size,
      written: false,
    })
    expect((await stat(archive())).mtimeMs).toBe(mtimeMs)
    execFileSync('docker', ['load', '--quiet', '--input', archive()])
  })

  test('are loaded if the engine lacks them, with their labels, so that build finds them', async () => {
    const [one, two] = images
    await remove(one)
    const { exitCode, stdout, stderr } = await fleet.run(['load', 'images.tar'])
    expect(exitCode, stderr).toBe(0)
    expect(stdout).toBe(`  loaded   ${one}\n  present  ${two}\n`)
    expect([...(await fleet.listImages())].sort()).toEqual(images)
    const { stdout: built } = await fleet.run(['build', '--json'])
    expect(JSON.parse(built).images).toEqual({ one: { image: one, built: false }, two: { image: two, built: false } })
  })

  test('of some servers are streamed from one call to another', async () => {
    const [one, two] = images
    await remove(two)
    await remove(one)
    const call = `'${process.execPath}' '${mainFile}'`
    const prefix = ['sh', '-c', `${call} save - one | gzip | ${call} load -`]
    const { stdout, stderr } = await fleet.run([], { isBare: true, prefix })
    expect(stdout, stderr).toBe(`  loaded  ${one}\n`)
    expect(await hasImage(two ?? '')).toBe(false)
  })

  test('are not loaded from an archive that is incomplete, or is something else', async () => {
    await writeFile(join(fleet.folder, 'cut.tar'), execFileSync('cat', [archive()]))
    await truncate(join(fleet.folder, 'cut.tar'), 3000)
    const hint = 'hint: Write it with `testfleet save` or `docker save`, and copy it whole.\n'
    const calls: readonly (readonly [file: string, exitCode: number, message: string, input?: string])[] = [
      ['cut.tar', 1, `cut.tar is incomplete\n${hint}`],
      ['-', 1, `the engine cannot load the archive: it is incomplete, or is not a tar archive\n${hint}`, 'no archive'],
      ['none', 2, 'none cannot be read: no such file or folder\n'],
    ]
    for (const [file, exitCode, message, input] of calls) {
      const result = await fleet.run(['load', file], { input })
      expect(messageOf(result)).toBe(`error: ${message}`)
      expect(result.exitCode).toBe(exitCode)
    }
  })

  test('are not saved where no file can be', async () => {
    const calls: readonly (readonly [words: readonly string[], message: RegExp])[] = [
      [['/dev/null'], /^error: \/dev\/null is not a file\n/],
      [['-', '--json'], /--json cannot be used when the archive goes to standard output/],
    ]
    for (const [words, message] of calls) {
      const result = await fleet.run(['save', ...words])
      expect(result.stdout + messageOf(result)).toMatch(message)
      expect(result.exitCode).toBe(2)
    }
  })
})

const reason = whyNoOwnEngine()

describe.skipIf(reason !== undefined)('an engine without a network', wide, () => {
  let engine: OwnEngine | undefined
  afterAll(async () => {
    vi.unstubAllEnvs()
    await engine?.[Symbol.asyncDispose]()
  })

  test('starts a fleet from the archive of another engine, and builds and bakes nothing', async () => {
    const copy = '[{ content: hello, to: /hello }]'
    const server = `web: { build: { copy: ${copy} }, command: [sleep, '600'] }`
    const bake = "{ run: [[sh, -c, 'echo baked > /srv/baked']] }"
    const wait = `[sh, -c, 'trap "exit 0" TERM; while :; do sleep 0.1; done']`
    const fleet = await makeFleet([server, `baked: { image: '${base}', command: ${wait}, bake: ${bake} }`])
    expect((await fleet.run(['save', 'images.tar'], { timeoutMs })).exitCode).toBe(0)
    engine = await openOwnEngine()
    const env = { DOCKER_HOST: engine.url }
    const loaded = await fleet.run(['load', 'images.tar'], { env, timeoutMs })
    expect(loaded.stdout, loaded.stderr).toMatch(
      /^ {2}loaded {2}debian:bookworm-slim\n {2}loaded {2}testfleet\/\S+-baked\/baked:\S+\n {2}loaded {2}testfleet\/\S+\n$/,
    )
    const { exitCode, stderr } = await fleet.run(['up'], { env, timeoutMs })
    expect(exitCode, stderr).toBe(0)
    expect(stderr).not.toMatch(/building|baking|pulling/)
    expect((await fleet.run(['exec', 'web', '--', 'cat', '/hello'], { env })).stdout).toBe('hello')
    expect((await fleet.run(['exec', 'baked', '--', 'cat', '/srv/baked'], { env })).stdout).toBe('baked\n')
    expect((await fleet.run(['down'], { env })).exitCode).toBe(0)
  })
})
