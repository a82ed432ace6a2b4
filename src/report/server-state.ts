import type { CallOptions } from '../engine/engine.ts'
import type { ContainerSummary } from '../model/container.ts'
import { isFailure } from '../model/failures.ts'
import type { ServerSpec } from '../model/session.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** State of a server as its container shows it. Whether a running server is ready is decided by its checks. */
export type LifeState =
  | { readonly state: 'running' }
  | { readonly state: 'paused' }
  | { readonly state: 'created' }
  | { readonly state: 'completed' | 'exited'; readonly exitCode: number; readonly isOutOfMemory: boolean }

/**
 * Returns whether a server runs, is paused, was never started, has completed as its `exit` check demands, or has exited
 * otherwise. A server that is removed in the meantime counts as exited, as does one that waits to be restarted.
 */
export async function readLife(
  container: Pick<ContainerSummary, 'id' | 'state' | 'isRestarting'>,
  { ready }: Pick<ServerSpec, 'ready'>,
  runtime: Pick<Runtime, 'inspectServer'>,
  { signal }: Pick<CallOptions, 'signal'>,
): Promise<LifeState> {
  const { state, isRestarting } = container
  if (state !== 'exited' && isRestarting !== true) return { state } as LifeState
  const exit = ready.find((check) => check.kind === 'exit')
  const details = await runtime.inspectServer(container.id, { signal }).catch((error: unknown) => {
    if (isFailure(error, 'NOT_FOUND')) return undefined
    throw error
  })
  const { exitCode = 0, isOutOfMemory = false } = details ?? {}
  const isCompleted = details !== undefined && exit?.code === exitCode && details.state === 'exited'
  return { state: isCompleted ? 'completed' : 'exited', exitCode, isOutOfMemory }
}
