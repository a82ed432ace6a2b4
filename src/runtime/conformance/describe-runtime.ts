import { afterAll, beforeAll, describe } from 'vitest'
import { type Harness, openHarness, type RuntimeUnderTest } from './harness.ts'
import { describeSaved } from './saved.ts'
import { describeServers } from './servers.ts'
import { describeStored } from './stored.ts'

/**
 * Tests that a runtime keeps the promises of its port. Behaviour that the engine's suite covers is not repeated.
 * Removes everything that it creates.
 */
export function describeRuntime(name: string, connect: () => Promise<RuntimeUnderTest>): void {
  describe(name, () => {
    let harness: Harness | undefined
    const open = (): Harness => {
      if (harness === undefined) throw new Error('the harness is opened before the tests')
      return harness
    }
    beforeAll(async () => {
      harness = await openHarness(await connect())
    })
    afterAll(async () => {
      await harness?.sweep()
      await harness?.close()
    })
    describeStored(open)
    describeServers(open)
    describeSaved(open)
  })
}
