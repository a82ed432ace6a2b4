import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Spec, Validation } from '@cyclonedx/cyclonedx-library'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { removeFleetFolders, startTestfleet, waitForNothing, withEngine } from '../support/command.ts'
import { makeFleet, type Servers, type SessionReport, type StoryFleet } from '../support/story-fleet.ts'
import { wide } from '../support/tiers.ts'
import { findUnfinished, waitForUnfinishedImage } from '../support/unfinished.ts'

const idle = ['sleep', '600']

/** `plain` has the packages of the base, `more` one of its own too, `bare` none and no package database. */
const servers: Servers = {
  plain: { build: { copy: [{ content: 'x', to: '/x' }] }, command: idle },
  more: { build: { packages: ['tree'] }, command: idle },
  bare: { build: { dockerfile: 'Dockerfile' } },
}
const base = { packages: ['netcat-openbsd'] }
const dockerfile = 'FROM debian:bookworm-slim AS debian\nFROM scratch\nCOPY --from=debian /sbin/ldconfig /program\n'

let fleet: StoryFleet
let report: SessionReport
/** By the package manager's own word. */
let versions: Record<string, string>

beforeAll(async () => {
  fleet = await makeFleet(servers, { Dockerfile: dockerfile }, { base })
  report = await fleet.json(['up', 'plain', 'more'], { timeoutMs: 300_000 })
  const query = ['dpkg-query', '--show', '--showformat', '${Package} ${Version}\\n']
  const { stdout } = await fleet.done(['exec', 'more', '--', ...query])
  versions = Object.fromEntries(
    stdout
      .trim()
      .split('\n')
      .map((line) => line.split(' ')),
  )
}, 360_000)

afterAll(async () => {
  await fleet.cleanUp()
  await removeFleetFolders()
})

describe('the packages of an image', () => {
  test('are shown by up and ps with their installed versions', async () => {
    const [netcat, tree] = [versions['netcat-openbsd'], versions.tree]
    expect(tree).toMatch(/^\d/)
    const expected = { plain: { 'netcat-openbsd': netcat }, more: { 'netcat-openbsd': netcat, tree } }
    const told = ({ servers: all }: SessionReport): object =>
      Object.fromEntries(Object.entries(all).map(([name, { packages }]) => [name, packages]))
    expect(told(report)).toEqual(expected)
    expect(told(await fleet.report())).toEqual(expected)
  })

  test('are shown by plan for existing images', async () => {
    const { stdout } = await fleet.done(['plan', 'plain', 'more'])
    const [netcat, tree] = [versions['netcat-openbsd'], versions.tree]
    expect(stdout).toContain(`  image   ${report.servers.more?.image} (netcat-openbsd ${netcat}, tree ${tree})\n`)
    expect(stdout).toContain(`  image   ${report.servers.plain?.image} (netcat-openbsd ${netcat})\n`)
  })

  test('are recorded in the labels of the image with its base image, and no unfinished image is left', async () => {
    const { image, debian } = await withEngine(async (engine) => ({
      image: await engine.inspectImage(report.servers.more?.image ?? ''),
      debian: await engine.inspectImage('debian:bookworm-slim'),
    }))
    expect(JSON.parse(image?.labels['dev.testfleet.base'] ?? '')).toMatchObject({
      reference: 'debian:bookworm-slim',
      id: debian?.id,
    })
    expect(await findUnfinished(fleet.name)).toEqual([])
  })
})

describe('sbom', () => {
  test('lists all packages, whether the server runs or not', async () => {
    const { stdout } = await fleet.done(['sbom', 'more'])
    expect(await new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(stdout)).toBeNull()
    const { components } = JSON.parse(stdout)
    const listed = components.filter(({ purl }: { purl?: string }) => purl !== undefined)
    const found = Object.fromEntries(listed.map((one: { name: string; version: string }) => [one.name, one.version]))
    expect(found).toEqual(versions)

    // A session that is not there has no container to read.
    const elsewhere = ['--session', `${fleet.name}-none`]
    expect((await fleet.done(['sbom', 'more', ...elsewhere])).stdout).toBe(stdout)
    await fleet.done(['sbom', 'more', '--output', 'bom.json', ...elsewhere])
    expect(await readFile(join(fleet.folder, 'bom.json'), 'utf8')).toBe(stdout)
    expect(await findUnfinished(fleet.name)).toEqual([])
  })

  test('reports an image that does not exist or has no package database', async () => {
    expect(await fleet.call(['sbom', 'bare'])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining('hint: Get it with `testfleet build bare`.'),
    })
    await fleet.done(['build', 'bare'])
    const { exitCode, stdout } = await fleet.call(['sbom', 'bare', '--json'])
    expect(exitCode).toBe(1)
    expect(JSON.parse(stdout).error).toMatchObject({ code: 'NO_PACKAGE_DATABASE', server: 'bare' })
    expect(await findUnfinished(fleet.name)).toEqual([])
    expect(await fleet.call(['sbom'])).toMatchObject({ exitCode: 2 })
  })
})

describe('pin', () => {
  test('reports for each image why it cannot be pinned, and then changes nothing', async () => {
    const text = await readFile(join(fleet.folder, 'testfleet.json'), 'utf8')
    const { exitCode, stdout } = await fleet.call(['pin'])
    expect(exitCode).toBe(1)
    expect(stdout).toContain('base.from (not written; the default): debian:bookworm-slim cannot be pinned: ')
    expect(stdout).toContain('Dockerfile:1:1: FROM debian:bookworm-slim is not pinned; a Dockerfile is left as it is\n')
    expect(await readFile(join(fleet.folder, 'testfleet.json'), 'utf8')).toBe(text)
  })
})

describe('a build that ends before its image has labels', () => {
  test.each([
    ['killed', 'SIGKILL', 137],
    ['cancelled', 'SIGTERM', 143],
  ] as const)(
    'because it was %s leaves nothing behind, and the next build succeeds',
    wide,
    async (_, signal, exitCode) => {
      const ended = await makeFleet({ one: { build: { packages: ['tree'] }, command: idle } })
      const running = startTestfleet(['build', '--quiet'], { cwd: ended.folder, timeoutMs: 300_000 })
      await waitForUnfinishedImage(ended.name)
      running.kill(signal)
      expect((await running.result).exitCode).toBe(exitCode)
      await waitForNothing(ended.name)
      expect(await findUnfinished(ended.name)).toEqual([])
      await ended.done(['build'], { timeoutMs: 300_000 })
      const { stdout } = await ended.done(['plan'])
      expect(stdout).toMatch(/ {2}image {3}testfleet\/\S+ \(tree \d\S*\)\n/)
      await ended.cleanUp()
    },
  )
})
