import { setTimeout as sleep } from 'node:timers/promises'
import { label } from '../../src/model/labels.ts'
import { withEngine } from './command.ts'

/** What an interrupted build of a fleet could leave: containers of no session, and images that a change still has. */
export async function findUnfinished(fleet: string): Promise<string[]> {
  return withEngine(async (engine) => {
    const ofFleet = { [label.fleet]: fleet }
    const containers = await engine.listContainers(ofFleet)
    const images = await engine.listImages(ofFleet)
    return [
      ...containers.filter(({ labels }) => labels[label.session] === undefined).map(({ name }) => name),
      ...images.filter(({ labels }) => labels[label.change]).map(({ references, id }) => references[0] ?? id),
    ]
  })
}

const DEADLINE_MS = 240_000

/** Resolves once the steps of a build are done and its labels are not. */
export async function waitForUnfinishedImage(fleet: string): Promise<void> {
  const deadline = AbortSignal.timeout(DEADLINE_MS)
  await withEngine(async (engine) => {
    for (;;) {
      const images = await engine.listImages({ [label.fleet]: fleet })
      if (images.some(({ labels }) => labels[label.change])) return
      await sleep(10, undefined, { signal: deadline })
    }
  })
}
