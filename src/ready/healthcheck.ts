import type { Engine } from '../engine/engine.ts'
import { TestfleetError } from '../model/failures.ts'
import { notYet, type Probe, ready } from './check.ts'

/** The health check of the image says healthy. */
export function probeHealthcheck(containerId: string, server: string, engine: Engine): Probe {
  return async (signal) => {
    const { health } = await engine.inspectContainer(containerId, { signal })
    if (health === 'healthy') return ready
    if (health === 'none') {
      throw new TestfleetError('START_FAILED', `the image of ${server} has no health check`, {
        server,
        hint: 'Use another kind of `ready` check, or give the image a HEALTHCHECK.',
      })
    }
    return notYet(health)
  }
}
