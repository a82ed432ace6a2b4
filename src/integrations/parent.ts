import { setImmediate as nextPhase } from 'node:timers/promises'

/**
 * Returns the id of the runner that has started this process as a worker. Ends this process if the runner is gone: its id
 * would be that of a process that never ends, and holds the fleet forever.
 */
export async function findRunner(): Promise<number> {
  const { ppid } = process
  // The end of the runner is noticed between two phases.
  await nextPhase()
  await nextPhase()
  if (!process.connected) process.exit(1)
  return ppid
}

/** Ends this process soon after its runner, for runners whose workers go on with their test when the runner is killed. */
export function endWithRunner(): void {
  // A handler for the event would keep the process from ending by itself.
  setInterval(() => {
    if (!process.connected) process.exit(1)
  }, 500).unref()
}
