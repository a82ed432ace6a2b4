import type { CallOptions, Engine } from '../engine/engine.ts'
import { formatSetAside, type SetAside } from '../model/lease.ts'
import { STOP_GRACE_MS } from './remove-container.ts'

/** Stops a container, at once or by its `stopSignal`, and frees its name, its ports and its names on the network. */
export async function setAside(
  engine: Engine,
  containerId: string,
  aside: SetAside,
  stopSignal: string | undefined,
  options: CallOptions,
): Promise<void> {
  // Renamed first: if this is where it ends, whoever cleans up knows that it ran and has to run again.
  await engine.renameContainer(containerId, formatSetAside(aside), options)
  if (aside.ran) await engine.stopContainer(containerId, stopSignal === undefined ? 0 : STOP_GRACE_MS, options)
}
