import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import { isFailure } from '../../model/failures.ts'

const RESTART_PAUSE_MS = 100

/** Waits until a container has ended for good. An engine reports each end, also of one that it starts again. */
export async function waitForEnd(engine: Engine, id: string, options?: CallOptions): Promise<number> {
  for (;;) {
    const exitCode = await engine.waitContainer(id, options)
    const state = await engine.inspectContainer(id, options).catch((error: unknown) => {
      if (isFailure(error, 'NOT_FOUND')) return undefined
      throw error
    })
    // What the engine answers about an end between two runs can be of neither (20.10).
    if (state?.state !== 'running') return state?.exitCode ?? exitCode
    await sleep(RESTART_PAUSE_MS, undefined, { ...(options?.signal && { signal: options.signal }) })
  }
}
