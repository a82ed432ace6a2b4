import { randomBytes } from 'node:crypto'
import { withEngine } from './command.ts'
import { askEngine } from './raw-engine.ts'
import { foreignContainer } from './test-fleet.ts'

/** Makes what only carries a session's labels, as happens to anyone who starts an image with such labels. */
export async function makeStrangers(
  labels: Readonly<Record<string, string>>,
): Promise<AsyncDisposable & { count(): Promise<number> }> {
  const name = `stranger-${randomBytes(4).toString('hex')}`
  const container = await withEngine(async (engine) => {
    await engine.createVolume(name, labels)
    await engine.createNetwork(name, labels)
    const id = await engine.createContainer({ ...foreignContainer(name), command: ['sleep', '600'], labels })
    await engine.startContainer(id)
    return id
  })
  const paths = [`/containers/${container}/json`, `/networks/${name}`, `/volumes/${name}`]
  return {
    async count() {
      const found = await Promise.allSettled(paths.map((path) => askEngine('GET', path)))
      return found.filter(({ status }) => status === 'fulfilled').length
    },
    async [Symbol.asyncDispose]() {
      await withEngine(async (engine) => {
        await engine.removeContainer(container)
        await engine.removeNetwork(name)
        await engine.removeVolume(name)
      })
    },
  }
}

/** The labels of the one container of a fleet. */
export const labelsOf = (fleet: string): Promise<Readonly<Record<string, string>>> =>
  withEngine(async (engine) => {
    const all = await engine.listContainers({ 'dev.testfleet.fleet': fleet })
    return all.at(0)?.labels ?? {}
  })
