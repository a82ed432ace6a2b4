import type { CallOptions, Engine } from '../engine/engine.ts'

/** How long a server that has a `stopSignal` has to obey it. */
export const STOP_GRACE_MS = 10_000

/** Removes a container with its own volumes: at once, or after its `stopSignal` where it has one. */
export async function removeContainer(
  engine: Engine,
  containerId: string,
  stopSignal: string | undefined,
  options: CallOptions,
): Promise<void> {
  if (stopSignal !== undefined) await engine.stopContainer(containerId, STOP_GRACE_MS, options)
  await engine.removeContainer(containerId, options)
}
