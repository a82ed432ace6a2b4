import { afterAll, beforeAll, describe } from 'vitest'
import { type Bench, openBench, type Subject } from './bench.ts'
import { describeServers } from './servers.ts'
import { describeStored } from './stored.ts'

/**
 * Tests that a runtime keeps the promises of its port. Behaviour that the engine's suite covers is not repeated.
 * Removes everything that it creates.
 */
export function describeRuntime(name: string, connect: () => Promise<Subject>): void {
  describe(name, () => {
    let bench: Bench | undefined
    const open = (): Bench => {
      if (bench === undefined) throw new Error('the bench is opened before the tests')
      return bench
    }
    beforeAll(async () => {
      bench = await openBench(await connect())
    })
    afterAll(async () => {
      await bench?.sweep()
      await bench?.close()
    })
    describeStored(open)
    describeServers(open)
  })
}
