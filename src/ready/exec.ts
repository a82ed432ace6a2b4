import type { Engine } from '../engine/engine.ts'
import { readText } from '../engine/output-text.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import { notYet, type Probe, ready } from './check.ts'

/** The command, run inside the server, exits with 0. */
export function probeExec(command: readonly string[], containerId: string, server: string, engine: Engine): Probe {
  return async (signal) => {
    try {
      const running = await engine.exec(containerId, { command }, { signal })
      const output = await readText(running.output)
      const exitCode = await running.exitCode()
      if (exitCode === 0) return ready
      const lastLine = output.trim().split('\n').at(-1) ?? ''
      return notYet(`exits with ${exitCode}${lastLine === '' ? '' : `: ${lastLine}`}`)
    } catch (error) {
      // Between its start and its first process a container refuses; when it has died, the waiter knows.
      if (isFailure(error, 'ENGINE_REFUSED')) return notYet(error.message)
      if (isFailure(error, 'COMMAND_NOT_FOUND')) {
        throw new TestfleetError('COMMAND_NOT_FOUND', `the ready check of ${server}: ${error.message}`, {
          server,
          hint: error.hint,
          cause: error,
        })
      }
      throw error
    }
  }
}
