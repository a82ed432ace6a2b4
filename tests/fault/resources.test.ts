import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { countLeftovers, waitForNothing, withEngine } from '../support/command.ts'
import { isLong } from '../support/fault.ts'
import { leftBehind } from '../support/left-behind.ts'
import { type OwnEngine, openOwnEngine, whyNoOwnEngine } from '../support/own-engine.ts'
import { base, endFleets, makeFleet, messageOf, readError, server, sleeper } from '../support/test-fleet.ts'

afterEach(async () => {
  await endFleets()
  vi.unstubAllEnvs()
})

const reason = whyNoOwnEngine()
if (reason !== undefined) process.stdout.write(`an engine that runs out of something is not tested: ${reason}\n`)

describe.skipIf(reason !== undefined)('an engine that runs out', () => {
  let engine: OwnEngine
  beforeAll(async () => {
    engine = await openOwnEngine(base, { diskMb: 400, hasFewAddresses: true })
  })
  beforeEach(() => void vi.stubEnv('DOCKER_HOST', engine.url))
  afterAll(() => engine?.[Symbol.asyncDispose]())

  test('of addresses is reported with a way to free some, and nothing is left behind', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    const taken: string[] = []
    const taking = withEngine(async (engine) => {
      for (let count = 0; count < 3; count++) taken.push(await engine.createNetwork(`taken-${count}`, {}))
    })
    await expect(taking).rejects.toThrow(/no address range left/)
    const result = await fleet.run(['up'])
    expect(result).toMatchObject({ exitCode: 1, stdout: '' })
    expect(messageOf(result)).toMatch(/^error: .*the engine has no address range left for the network /)
    expect(messageOf(result)).toContain('testfleet prune --all')
    expect(await countLeftovers(fleet.name)).toBe(0)
    await withEngine((engine) => Promise.all(taken.map((id) => engine.removeNetwork(id))))
  })

  // The last: nothing else can be done with it after that.
  test('of disk space during a build is reported, and nothing is left behind', async () => {
    const fleet = await makeFleet([
      `web: ${JSON.stringify({ build: { from: base, copy: [{ from: 'large', to: '/large' }] }, command: ['true'] })}`,
    ])
    const megabyte = 1024 * 1024
    const file = await open(join(fleet.folder, 'large'), 'w')
    await file.truncate(420 * megabyte)
    await file.close()
    const result = await fleet.run(['up', '--json'], { prefix: engine.prefix, timeoutMs: 120_000 })
    expect(result.exitCode).toBe(1)
    expect(readError(result)).toMatchObject({
      code: expect.stringMatching(/^(BUILD_FAILED|ENGINE_LOST|ENGINE_REFUSED)$/),
    })
    expect(result.stdout).toMatch(/the engine's disk is full \(no space left on device\)/)
    expect(readError(result).hint).toMatch(/docker system df.*testfleet prune --images/)
    expect(await leftBehind(fleet.name)).toBe(0)
  })
})

describe('a call with too few file descriptors', () => {
  // Node itself takes 20 or so; each of these ends somewhere else on the way.
  test.each(isLong ? [24, 28, 32, 40] : [28, 40])(
    'ends cleanly with %i of them, and leaves nothing behind',
    async (count) => {
      const fleet = await makeFleet(
        Array.from(
          { length: 4 },
          (_, i) => `s${i}: ${server({ command: ['sleep', '600'], ports: [80], ready: [{ exec: ['true'] }] })}`,
        ),
      )
      const result = await fleet.run(['up', '--json'], { prefix: ['prlimit', `--nofile=${count}:${count}`] })
      if (result.exitCode === 0) await fleet.run(['down'])
      else expect([1, 3, 7]).toContain(result.exitCode)
      await waitForNothing(fleet.name)
    },
  )
})

describe('a folder that cannot be written', () => {
  test.each(['HOME', 'XDG_RUNTIME_DIR'])('makes no difference to `run`: %s', async (variable) => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    // No file can be made there, by root neither.
    const result = await fleet.run(['run', '--', 'true'], { env: { [variable]: '/proc/self' } })
    expect(result).toMatchObject({ exitCode: 0, stdout: '' })
    await waitForNothing(fleet.name)
  })
})
