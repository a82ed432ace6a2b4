import type { Engine } from '../../engine.ts'
import type { Local } from '../types.ts'
import { copyContainer, createContainer, removeRemains, renameContainer } from './create.ts'
import { inspectContainer, listContainers, listContainersPublishing, readMemory } from './describe.ts'
import { removeContainer } from './remove.ts'
import { startContainer } from './start.ts'
import { killContainer, setPaused, stopContainer, waitContainer } from './stop.ts'

export function containerVerbs(local: Local) {
  const events = () => import('./events.ts')
  let tidied: Promise<void> | undefined
  /** Once for each call of testfleet: what earlier ones have left must not stay until the next removal. */
  const tidy = (): Promise<void> => {
    tidied ??= removeRemains(local).catch(() => {})
    return tidied
  }
  return {
    async listContainers(labels, options) {
      await tidy()
      return listContainers(local, labels, options)
    },
    listContainersPublishing: (port, options) => listContainersPublishing(local, port, options),
    inspectContainer: (id, options) => inspectContainer(local, id, options),
    createsBeforeNetwork: async () => true,
    createContainer: (spec, options) => createContainer(local, spec, options),
    copyContainer: (id, changes, options) => copyContainer(local, id, changes, options),
    startContainer: (id, options) => startContainer(local, id, options),
    stopContainer: (id, graceMs, options) => stopContainer(local, id, graceMs, options),
    killContainer: (id, signal, options) => killContainer(local, id, signal, options),
    pauseContainer: (id, options) => setPaused(local, id, true, options),
    unpauseContainer: (id, options) => setPaused(local, id, false, options),
    readMemory: (id, options) => readMemory(local, id, options),
    renameContainer: (id, name, options) => renameContainer(local, id, name, options),
    removeContainer: (id, options) => removeContainer(local, id, options),
    waitContainer: (id, options) => waitContainer(local, id, options),
    readEvents: async (labels, range) => (await events()).readEvents(local, labels, range),
    async *followEvents(labels, range, options) {
      yield* (await events()).followEvents(local, labels, range, options)
    },
  } satisfies Partial<Engine>
}
