import type { CallOptions, Engine } from '../../engine/engine.ts'
import { isFailure } from '../../model/failures.ts'
import { readPreStop } from '../../model/hook.ts'
import { graceOf, type StopListener, type StopOptions, type StoppableServer } from '../runtime.ts'

/** Runs the `preStop` commands of a server, and stops it by its stop signal. Does nothing if it does not run. */
export async function stopContainer(
  engine: Engine,
  server: StoppableServer,
  listener: StopListener,
  options: StopOptions = {},
): Promise<void> {
  if (server.state !== 'running' && server.state !== 'paused') return
  await prepareStop(engine, server, listener, options)
  const graceMs = options.graceMs ?? graceOf(server)
  const begunAt = performance.now()
  await engine.stopContainer(server.id, graceMs, options)
  if (graceMs === 0 || performance.now() - begunAt < graceMs) return
  // Only a killed process has this exit code. Another call may have removed the container in the meantime.
  const { exitCode } = await engine.inspectContainer(server.id, options).catch(nothingKnown)
  if (exitCode === 137) listener.onKilled?.(server, graceMs)
}

function nothingKnown(error: unknown): { readonly exitCode: undefined } {
  if (isFailure(error, 'NOT_FOUND')) return { exitCode: undefined }
  throw error
}

/** Removes a server. Every removal goes through here: `down`, replacement, undo, sweep, expiry, keeper. */
export async function removeContainer(
  engine: Engine,
  server: StoppableServer,
  listener: StopListener,
  options?: CallOptions,
): Promise<void> {
  if (graceOf(server) > 0) {
    await stopContainer(engine, server, listener, options).catch((error: unknown) => {
      // Another call, or a keeper, has already removed it.
      if (!isFailure(error, 'NOT_FOUND')) throw error
    })
  } else await prepareStop(engine, server, listener, options)
  await engine.removeContainer(server.id, options)
}

/** Runs the `preStop` commands, except in a paused server, where nothing can run. */
async function prepareStop(
  engine: Engine,
  server: StoppableServer,
  listener: StopListener,
  options?: CallOptions,
): Promise<void> {
  if (server.state !== 'running') return
  const hooks = readPreStop(server.labels)
  if (hooks.length === 0) return
  // Loaded on demand: few servers have such commands.
  const { runPreStop } = await import('../pre-stop.ts')
  await runPreStop(engine, server, hooks, listener, options)
}
