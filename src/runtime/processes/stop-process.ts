import type { CallOptions } from '../../engine/engine.ts'
import { readPreStop } from '../../model/hook.ts'
import { graceOf, type Runtime, type StopListener, type StopOptions, type StoppableServer } from '../runtime.ts'
import { ask } from './client.ts'
import { notFound } from './describe-process.ts'

/** Longer than a supervisor takes to kill what can be killed. */
const STOP_MS = 60_000

type Commands = Pick<Runtime, 'exec' | 'inspectServer'>

/** Runs the `preStop` commands of a server, and stops it by its stop signal. Does nothing if it does not run. */
export async function stopProcess(
  folder: string,
  server: StoppableServer,
  commands: Commands,
  listener: StopListener,
  options: StopOptions = {},
): Promise<void> {
  if (server.state !== 'running' && server.state !== 'paused') return
  await prepareStop(server, commands, listener, options)
  const graceMs = options.graceMs ?? graceOf(server)
  const { signal } = options
  const state = await ask(folder, { do: 'stop', graceMs }, { signal, timeoutMs: graceMs + STOP_MS })
  if (state?.wasKilled === true) listener.onKilled?.(server, graceMs)
}

/** Runs the `preStop` commands, except while the server is paused. */
export async function prepareStop(
  server: StoppableServer,
  { exec, inspectServer: inspectContainer }: Commands,
  listener: StopListener,
  options?: CallOptions,
): Promise<void> {
  const hooks = server.state === 'running' ? readPreStop(server.labels) : []
  if (hooks.length === 0) return
  const { runPreStop } = await import('../pre-stop.ts')
  // It has no files of its own that could be secrets.
  const getArchive = (id: string): Promise<never> => Promise.reject(notFound(id))
  await runPreStop({ exec, inspectContainer, getArchive }, server, hooks, listener, options)
}
