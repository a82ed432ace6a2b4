import type { Engine } from '../engine/engine.ts'
import { isFailure } from '../model/failures.ts'
import { notYet, type Probe, ready } from './check.ts'

/** The command, run inside the server, exits with 0. */
export function probeExec(command: readonly string[], containerId: string, engine: Engine): Probe {
  return async (signal) => {
    const decoder = new TextDecoder()
    let output = ''
    try {
      const process = await engine.exec(containerId, { command }, { signal })
      for await (const chunk of process.output)
        output = (output + decoder.decode(chunk.bytes, { stream: true })).slice(-1000)
      const exitCode = await process.exitCode()
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
