import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions, Engine, ImageSummary } from '../engine/engine.ts'
import { isFailure } from '../model/failures.ts'
import { settleAll } from './settle.ts'

const PAUSE_MS = 100
const PATIENCE_MS = 5000

/** Removes images that a lease still has, with all their names. Resolves with the errors. */
export function removeUnfinishedImages(
  images: readonly ImageSummary[],
  engine: Engine,
  options: CallOptions = {},
): Promise<unknown[]> {
  const names = images.flatMap(({ id, references }) => (references.length === 0 ? [id] : references))
  return settleAll(names.map((name) => removePatiently(name, engine, options)))
}

/** The classic builder still has a container of the image for a moment when its call was cut off (seen with 20.10). */
async function removePatiently(name: string, engine: Engine, options: CallOptions): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await engine.removeImage(name, options)
    } catch (error) {
      if (!isFailure(error, 'ENGINE_REFUSED') || performance.now() > deadlineMs) throw error
    }
    await sleep(PAUSE_MS, undefined, options)
  }
}
