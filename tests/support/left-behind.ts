import { setTimeout as sleep } from 'node:timers/promises'
import { label } from '../../src/model/labels.ts'
import { withEngine } from './command.ts'

/** What guards a session may need a moment after its client has gone. */
const CLEANUP_MS = 20_000
const PAUSE_MS = 200

/** How many containers, networks and volumes of a fleet are on the engine: 0, or what is still there after 20 s. */
export async function leftBehind(fleet: string, waitMs = CLEANUP_MS): Promise<number> {
  const until = performance.now() + waitMs
  for (;;) {
    const count = await countOf(fleet)
    if (count === 0 || performance.now() > until) return count
    await sleep(PAUSE_MS)
  }
}

async function countOf(fleet: string): Promise<number> {
  const labels = { [label.fleet]: fleet }
  return withEngine(async (engine) => {
    const lists = [engine.listContainers(labels), engine.listNetworks(labels), engine.listVolumes(labels)]
    return (await Promise.all<readonly unknown[]>(lists)).flat().length
  })
}

/** Behind the command's back, as it may be what failed: a test that finds something must not leave it to the next. */
export async function removeAllOf(fleet: string): Promise<void> {
  const labels = { [label.fleet]: fleet }
  await withEngine(async (engine) => {
    for (const { id } of await engine.listContainers(labels)) await engine.removeContainer(id)
    for (const { id } of await engine.listNetworks(labels)) await engine.removeNetwork(id)
    for (const { name } of await engine.listVolumes(labels)) await engine.removeVolume(name)
    for (const { references } of await engine.listImages(labels)) {
      for (const reference of references) await engine.removeImage(reference)
    }
  })
}
