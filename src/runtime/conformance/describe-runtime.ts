import { afterAll, beforeAll, describe } from 'vitest'
import { type Bench, openBench, type Subject } from './bench.ts'
import { describeServers } from './servers.ts'
import { describeStored } from './stored.ts'

/**
 * Holds a runtime to the promises of its port. What the engine's suite proves of a container is not proved again. All
 * that it makes is removed again.
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
