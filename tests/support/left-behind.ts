import { setTimeout as sleep } from 'node:timers/promises'
import { label } from '../../src/model/labels.ts'
import { withEngine } from './command.ts'

/** What guards a session may need a moment after its client has gone. */
const CLEANUP_MS = 60_000
const PAUSE_MS = 200
/** For an engine that is busy, whatever the test has set. */
const PATIENCE_MS = 60_000

/** How many containers, networks and volumes of a fleet are on the engine: 0, or what is still there after a minute. */
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
    const patient = { timeoutMs: PATIENCE_MS }
    const lists = [
      engine.listContainers(labels, patient),
      engine.listNetworks(labels, patient),
      engine.listVolumes(labels, patient),
    ]
    return (await Promise.all<readonly unknown[]>(lists)).flat().length
  })
}

/** Behind the command's back, as it may be what failed: a test that finds something must not leave it to the next. */
export async function removeAllOf(fleet: string): Promise<void> {
  const labels = { [label.fleet]: fleet }
  const patient = { timeoutMs: PATIENCE_MS }
  await withEngine(async (engine) => {
    for (const { id } of await engine.listContainers(labels, patient)) await engine.removeContainer(id, patient)
    for (const { id } of await engine.listNetworks(labels, patient)) await engine.removeNetwork(id, patient)
    for (const { name } of await engine.listVolumes(labels, patient)) await engine.removeVolume(name, patient)
    for (const { references } of await engine.listImages(labels, patient)) {
      for (const reference of references) await engine.removeImage(reference, patient)
    }
  })
}
