import { readText } from '../engine/output-text.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { notYet, type Probe, ready } from './probe.ts'

/** The command, run inside the server, exits with 0. */
export function probeExec(command: readonly string[], containerId: string, runtime: Runtime): Probe {
  return async (signal) => {
    try {
      const running = await runtime.exec(containerId, { command }, { signal })
      const output = await readText(running.output)
      const exitCode = await running.exitCode()
      if (exitCode === 0) return ready
      const lastLine = output.trim().split('\n').at(-1) ?? ''
      return notYet(`exits with ${exitCode}${lastLine === '' ? '' : `: ${lastLine}`}`)
    } catch (error) {
      // Between its start and its first process a container refuses; when it has died, the waiter knows.
      if (isFailure(error, 'ENGINE_REFUSED')) return notYet(error.message)
      throw error
    }
  }
}

/** The health check of the image says healthy. */
export function probeHealthcheck(containerId: string, server: string, runtime: Runtime): Probe {
  return async (signal) => {
    const { health } = await runtime.inspectServer(containerId, { signal })
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
