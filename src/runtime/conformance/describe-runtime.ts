import { afterAll, beforeAll, describe } from 'vitest'
import { describeContainers } from './containers.ts'
import { type Harness, openHarness, type RuntimeUnderTest, type ServersUnderTest } from './harness.ts'
import { describeSaved } from './saved.ts'
import { describeServers } from './servers.ts'
import { describeStored } from './stored.ts'

/**
 * Tests that a runtime keeps the promises of its port. Behaviour that the engine's suite covers is not repeated.
 * Removes everything that it creates.
 */
export function describeRuntime(name: string, connect: () => Promise<RuntimeUnderTest>): void {
  describe(name, () => {
    const open = useHarness(connect)
    describeStored(open)
    describeServers(open)
    describeContainers(open)
    describeSaved(open)
  })
}

/** Tests that servers which are no containers keep the same promises. */
export function describeProcesses(name: string, connect: () => Promise<ServersUnderTest>): void {
  describe(name, () => describeServers(useHarness(connect)))
}

function useHarness<Tested extends ServersUnderTest>(connect: () => Promise<Tested>): () => Harness<Tested> {
  let harness: Harness<Tested> | undefined
  beforeAll(async () => {
    harness = await openHarness(await connect())
  })
  afterAll(async () => {
    await harness?.sweep()
    await harness?.close()
  })
  return () => {
    if (harness === undefined) throw new Error('the harness is opened before the tests')
    return harness
  }
}
