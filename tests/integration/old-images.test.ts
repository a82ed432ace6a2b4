import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFleetFolder, removeFleetFolders, runTestfleet } from '../support/command.ts'
import { type ImageHarness, openImageHarness } from '../support/image-harness.ts'

let images: ImageHarness

beforeAll(async () => {
  images = await openImageHarness({ TESTFLEET_KEEP_IMAGES: '2' })
})

afterAll(async () => {
  await images.close()
  await removeFleetFolders()
})

test('a build removes old images of its server, except the newest and those that a container uses', async () => {
  const folder = await makeFleetFolder({})
  const build = async (content: string): Promise<string> => {
    const build = { from: 'debian:bookworm-slim', copy: [{ content, to: '/file' }] }
    return (await images.build({ servers: { web: { build } } }, folder)).get('web')?.reference ?? ''
  }
  const list = async (): Promise<string[]> =>
    (await images.harness.engine.listImages({ 'dev.testfleet.fleet': images.fleet })).flatMap((one) => one.references)

  const first = await build('1')
  await images.harness.start({ image: first })
  const second = await build('2')
  const third = await build('3')
  expect((await list()).sort()).toEqual([first, second, third].sort())
  const fourth = await build('4')
  expect((await list()).sort()).toEqual([first, third, fourth].sort())
  // It is made of what the builder has in its cache, and is the newest all the same.
  expect(await build('2')).toBe(second)
  expect((await list()).sort()).toEqual([first, second, fourth].sort())

  const options = { cwd: folder, env: {} }
  const dry = await runTestfleet(['prune', '--images', '--older-than', '1ms', '--dry-run'], options)
  expect(dry.exitCode).toBe(0)
  expect(dry.stdout).toContain(`would remove image ${fourth}\n`)
  expect(dry.stdout).not.toContain(second)
  expect(dry.stdout).not.toContain(first)
  const wrong = await runTestfleet(['prune', '--keep', '2'], options)
  expect(wrong).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('it goes with --images') })
})
