import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions, Engine } from '../../engine/engine.ts'
import { isFailure } from '../../model/failures.ts'

const RESTART_PAUSE_MS = 100

/** Waits until a container has ended and is not started again by its restart policy. */
export async function waitForEnd(engine: Engine, id: string, options?: CallOptions): Promise<number> {
  for (;;) {
    const exitCode = await engine.waitContainer(id, options)
    const state = await engine.inspectContainer(id, options).catch((error: unknown) => {
      if (isFailure(error, 'NOT_FOUND')) return undefined
      throw error
    })
    // The exit code of the wait can belong to an earlier run (20.10), so the inspected one takes precedence.
    if (state?.state !== 'running') return state?.exitCode ?? exitCode
    await sleep(RESTART_PAUSE_MS, undefined, { ...(options?.signal && { signal: options.signal }) })
  }
}
