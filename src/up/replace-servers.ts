import type { Handlers } from '../plan/carry-out.ts'
import type { StoppableServer } from '../runtime/runtime.ts'
import type { Tools } from '../tools.ts'
import type { PlannedUp } from './plan-up.ts'

interface Work {
  readonly planned: PlannedUp
}

/** Sets replaced servers aside, and removes them at the end. */
export function replacementHandlers(work: Work, { runtime, onEvent }: Tools): Partial<Handlers> {
  return {
    async stopServer({ server, container }) {
      onEvent({ kind: 'stopping', server })
      // Not cancelled: a server that is still stopping cannot be put back.
      await runtime.stopServer(describeStoppable(server, container, work))
      onEvent({ kind: 'stopped', server })
    },
    async removeServer({ server, container }) {
      // It was stopped by an earlier operation.
      await runtime.removeServer({ ...describeStoppable(server, container, work), state: 'exited' })
      onEvent({ kind: 'replaced', server })
    },
  }
}

export function describeStoppable(server: string, id: string, { planned }: Work): StoppableServer {
  const { state = 'running', labels = {} } = planned.observed.get(server)?.container ?? {}
  return { id, state, labels }
}
