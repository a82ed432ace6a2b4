import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFleetFolder, removeFleetFolders } from '../support/command.ts'
import { type ImageHarness, openImageHarness } from '../support/image-harness.ts'
import { askEngine } from '../support/raw-engine.ts'

let images: ImageHarness
let home: string

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'docker-home-'))
  await configure('proxy.test')
  images = await openImageHarness({ DOCKER_CONFIG: home })
})

afterAll(async () => {
  await images.close()
  await removeFleetFolders()
  await rm(home, { recursive: true })
})

function configure(host: string): Promise<void> {
  const address = `http://me:hunter2@${host}:3128`
  const proxies = { default: { httpProxy: address, httpsProxy: address, noProxy: 'localhost' } }
  return writeFile(join(home, 'config.json'), JSON.stringify({ proxies }))
}

test("a build uses the docker command's proxies, which affect neither its image nor its name nor the engine's cache", async () => {
  const script = 'printf %s "$http_proxy $HTTPS_PROXY $no_proxy" > /seen; date +%N > /when'
  const folder = await makeFleetFolder({
    Dockerfile: `FROM debian:bookworm-slim\nRUN ${script}\n`,
  })
  const file = {
    servers: {
      own: { build: { dockerfile: 'Dockerfile' } },
      steps: { build: { from: 'debian:bookworm-slim', run: [script] } },
    },
  }
  const built = await images.build(file, folder)
  const seen = 'http://me:hunter2@proxy.test:3128 http://me:hunter2@proxy.test:3128 localhost'
  for (const { reference } of built.values()) {
    const id = await images.harness.start({ image: reference })
    expect(await images.shell(id, 'cat /seen; env | grep -i proxy; true')).toBe(seen)
    const image = JSON.stringify([
      await askEngine('GET', `/images/${reference}/json`),
      await askEngine('GET', `/images/${reference}/history`),
    ])
    expect(image).not.toMatch(/hunter2|proxy\.test/)
  }
  const when = await images.shell(await images.harness.start({ image: built.get('own')?.reference ?? '' }), 'cat /when')
  const digests = await images.digests(file, folder)

  await configure('other.test')
  expect(await images.digests(file, folder)).toEqual(digests)
  const target = { servers: { own: { build: { dockerfile: 'Dockerfile', args: { UNUSED: '1' } } } } }
  const again = await images.build(target, folder)
  const id = await images.harness.start({ image: again.get('own')?.reference ?? '' })
  expect(await images.shell(id, 'cat /when')).toBe(when)
})
