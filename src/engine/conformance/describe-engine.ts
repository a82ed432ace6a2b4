import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Engine } from '../engine.ts'
import { describeAborts } from './aborts.ts'
import { describeBuilds } from './builds.ts'
import { describeCommands } from './commands.ts'
import { describeContainers } from './containers.ts'
import { describeExec } from './exec.ts'
import { describeExecEnds } from './exec-ends.ts'
import { describeFiles } from './files.ts'
import { type Harness, openHarness } from './harness.ts'
import { describeImages } from './images.ts'
import { describeLogs } from './logs.ts'
import { describeNetworks } from './networks.ts'
import { describePorts } from './ports.ts'
import { describePulls } from './pulls.ts'
import { describeUnknown } from './unknown.ts'
import { describeVolumes } from './volumes.ts'

export interface ConformanceOptions {
  /** Image with a shell and perl that the engine has. */
  readonly image: string
  /** Whether the tests can reach the loopback of the engine's machine. */
  readonly sharesLoopback: boolean
}

/** Tests that an engine keeps the promises of the port. Removes everything that it creates. */
export function describeEngine(name: string, connect: () => Promise<Engine>, options: ConformanceOptions): void {
  describe(name, () => {
    let harness: Harness | undefined
    const open = (): Harness => {
      if (harness === undefined) throw new Error('the harness is opened before the tests')
      return harness
    }
    beforeAll(async () => {
      harness = await openHarness(await connect(), options.image)
    })
    afterAll(async () => {
      await harness?.sweep()
      harness?.engine.close()
    })
    test('reports its product and version', async () => {
      const { engine } = open()
      const [version, info] = await Promise.all([engine.version(), engine.info()])
      expect(version).toMatchObject({ product: expect.stringMatching(/Engine/), os: 'linux' })
      expect(version.version).toMatch(/^\d+\.\d+/)
      expect(version.api).toMatch(/^1\.\d+$/)
      expect(info.cpus).toBeGreaterThan(0)
      expect(info.memoryBytes).toBeGreaterThan(0)
    })
    describeContainers(open)
    describeCommands(open)
    describePorts(open, options.sharesLoopback)
    describeLogs(open)
    describeExec(open)
    describeExecEnds(open)
    describeFiles(open)
    describeNetworks(open)
    describeVolumes(open)
    describeImages(open)
    describePulls(open, options.sharesLoopback)
    describeBuilds(open)
    describeAborts(open)
    describeUnknown(open)
  })
}
