import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders } from '../support/command.ts'
import { type FaultProxy, type Misbehaviour, openFaultProxy } from '../support/fault-proxy.ts'
import { askEngine } from '../support/raw-engine.ts'
import { makeFleet, type Servers, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'
import { findUnfinished } from '../support/unfinished.ts'

const servers: Servers = { one: { build: { packages: ['tree'] }, command: ['sleep', '600'] } }

interface RawImage {
  readonly RepoTags: readonly string[] | null
  readonly Labels: Readonly<Record<string, string>>
}

/** All images of a fleet, including those without a name and base images. */
async function listAll(fleet: string): Promise<RawImage[]> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`dev.testfleet.fleet=${fleet}`] }))
  return (await askEngine('GET', `/images/json?all=1&filters=${filters}`)) as RawImage[]
}

/** The names of the images that can be used; each has to be complete. */
async function expectComplete(fleet: string): Promise<string[]> {
  const named = (await listAll(fleet)).filter(({ RepoTags }) => RepoTags?.some((name) => !name.startsWith('<none>')))
  for (const { Labels } of named) {
    expect(Labels['dev.testfleet.change']).toBe('')
    expect(JSON.parse(Labels['dev.testfleet.packages'] ?? '')).toEqual({ tree: expect.stringMatching(/^\d/) })
  }
  return named.flatMap(({ RepoTags }) => RepoTags ?? [])
}

describe.each([
  ['BuildKit', false],
  ['the classic builder', true],
])('after a build by %s, an image', (_, isClassic) => {
  let proxy: FaultProxy
  /** Its image is there all the time, so that no other fleet has to install anything. */
  let kept: StoryFleet
  const fleets: StoryFleet[] = []

  beforeAll(async () => {
    proxy = await openFaultProxy({ isClassic })
    kept = await makeFleet(servers)
    await kept.done(['build'], { env: { DOCKER_HOST: proxy.url }, timeoutMs: 300_000 })
  }, 360_000)

  afterEach(async () => {
    proxy.misbehave(undefined)
    for (const fleet of fleets.splice(0)) {
      await fleet.cleanUp()
      expect(await listAll(fleet.name)).toEqual([])
    }
  })

  afterAll(async () => {
    await kept.cleanUp()
    await proxy[Symbol.asyncDispose]()
    await removeFleetFolders()
  })

  async function open(): Promise<{ fleet: StoryFleet; options: { env: Record<string, string>; timeoutMs: number } }> {
    const fleet = await makeFleet(servers)
    fleets.push(fleet)
    return { fleet, options: { env: { DOCKER_HOST: proxy.url }, timeoutMs: 300_000 } }
  }

  test('has its packages recorded when two sessions build at once', isClassic ? wide : {}, async () => {
    const { fleet, options } = await open()
    const sessions = [`${fleet.name}-a`, `${fleet.name}-b`]
    const reports = await Promise.all(sessions.map((session) => fleet.json(['up', '--session', session], options)))
    const reference = expect.stringMatching(new RegExp(`^testfleet/${fleet.name}-one:[0-9a-f]+$`))
    expect(reports).toMatchObject([{ servers: { one: { state: 'ready' } } }, { servers: { one: { state: 'ready' } } }])
    expect(await expectComplete(fleet.name)).toEqual([reference])
    expect(await findUnfinished(fleet.name)).toEqual([])
    for (const session of sessions) {
      expect((await fleet.done(['plan', '--session', session], options)).stdout).toContain('Nothing to do.')
      await fleet.done(['down', '--session', session], options)
    }
  })

  /** What it says of it; nothing where it tries again, or has what it needs. */
  const broken = 'broke during POST /'
  const unwell = 'the image of one could not be built: the engine is unwell'
  const faults: readonly (readonly [string, number, Misbehaviour, string | undefined])[] = [
    ['POST /build', 2, 'cut', broken],
    ['POST /build', 2, 'cut after', broken],
    ['POST /build', 2, 'error500', unwell],
    ['POST /build', 2, 'error500 after', unwell],
    ['POST /build', 2, 'halfJson', undefined],
    ['POST /containers/create', 1, 'cut after', broken],
    ['GET /containers/{id}/archive', 1, 'cut', undefined],
    ['DELETE /images/{name}', 1, 'cut after', undefined],
  ]
  test.each(faults)(
    'is complete or does not exist after a fault: %s, call %i, %s',
    wide,
    async (kind, occurrence, misbehaviour, message) => {
      const { fleet, options } = await open()
      const env = { ...options.env, TMPDIR: fleet.folder }
      const hits = proxy.hits
      proxy.misbehave({ kind, occurrence, misbehaviour })
      const { exitCode, stderr } = await fleet.call(['build'], { ...options, env })
      proxy.misbehave(undefined)
      expect(proxy.hits).toBe(hits + 1)
      expect(exitCode).toBe(message === undefined ? 0 : 1)
      expect(stderr).toContain(message ?? 'one: built in')
      await expectComplete(fleet.name)
      expect(await findUnfinished(fleet.name)).toEqual([])
      await fleet.done(['build'], options)
      expect(await expectComplete(fleet.name)).toHaveLength(1)
    },
  )
})
