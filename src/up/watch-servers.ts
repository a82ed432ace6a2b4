import { explainDeath } from '../ready/explain-failure.ts'
import type { ObservedServer } from '../report/report.ts'
import type { Tools } from '../tools.ts'

type Watching = Pick<Tools, 'runtime' | 'signal'>

/** Watches ready servers until all are ready. A server that ends before that fails the bring-up. */
export interface Watch {
  /** Fires with SERVER_DIED when a server has ended. */
  readonly signal: AbortSignal
  /** Name of the server that ended, if one has. */
  readonly ended: string | undefined
  add(server: string, container: string): void
  end(): void
}

export function openWatch({ runtime, signal: outer }: Watching): Watch {
  const [died, over] = [new AbortController(), new AbortController()]
  const signal = AbortSignal.any([outer, over.signal])
  let ended: string | undefined
  const watch = async (server: string, container: string): Promise<void> => {
    const exitCode = await runtime.waitServer(container, { signal })
    const failure = await explainEnd(server, container, exitCode, { runtime, signal })
    ended ??= server
    died.abort(failure)
  }
  return {
    signal: died.signal,
    get ended() {
      return ended
    },
    add(server, container) {
      // A server that cannot be watched is checked by `refuseEnded` at the end.
      watch(server, container).catch(() => {})
    },
    end: () => over.abort(),
  }
}

/** Fails with SERVER_DIED for the first server that has ended without an `exit` check. */
export async function refuseEnded(servers: Iterable<ObservedServer>, { runtime, signal }: Watching): Promise<void> {
  for (const { name, container, spec } of servers) {
    if (container.state === 'running' || spec.ready.some(({ kind }) => kind === 'exit')) continue
    const { exitCode = 0 } = await runtime.inspectServer(container.id, { signal })
    throw await explainEnd(name, container.id, exitCode, { runtime, signal })
  }
}

function explainEnd(server: string, containerId: string, exitCode: number, { runtime, signal }: Watching) {
  return explainDeath({ server, containerId, runtime }, exitCode, undefined, signal, { wasReady: true })
}
