import { setTimeout as sleep } from 'node:timers/promises'
import { formatSize } from '../formats/size.ts'
import type { ContainerDetails } from '../model/container.ts'
import { isProcessId } from '../model/process-id.ts'
import type { Runtime } from '../runtime/runtime.ts'

/** What is known about a server that has ended. */
export type End = Pick<ContainerDetails, 'exitCode' | 'isOutOfMemory' | 'memoryBytes' | 'restarts'>

/** Exit code of a program ended by SIGKILL: by the kernel when memory runs out, or by anyone. */
export const KILLED = 137
/** An engine may report that memory ran out after it has reported the end, and a busy one never does (20.10). */
const LATE_NEWS_MS = 1000
const LOOK_MS = 100

/** Observes a server that has ended with `exitCode`, until it is known whether memory ran out. */
export async function readEnd(
  { runtime, containerId }: { readonly runtime: Runtime; readonly containerId: string },
  exitCode: number,
  signal: AbortSignal,
): Promise<End> {
  const ask = (): Promise<End> => runtime.inspectServer(containerId, { signal })
  const giveUpAt = performance.now() + LATE_NEWS_MS
  let end = await ask()
  while (!end.isOutOfMemory && exitCode === KILLED && performance.now() < giveUpAt) {
    await sleep(LOOK_MS, undefined, { signal })
    end = await ask()
  }
  return { ...end, exitCode }
}

/** Says how a server ended, such as `ended with exit code 7`, to follow its name. */
export function wordEnd(end: Pick<End, 'exitCode' | 'isOutOfMemory' | 'memoryBytes'>): string {
  return end.isOutOfMemory ? `was killed for ${wordShortage(end)}` : `ended with exit code ${end.exitCode}`
}

/** Explains why the kernel killed a program. A server without a limit ends when the machine has no memory left. */
export function wordShortage({ memoryBytes }: Pick<End, 'memoryBytes'>): string {
  return memoryBytes === undefined
    ? 'lack of memory on its machine'
    : `using more memory than its limit of ${formatSize(memoryBytes)}`
}

/** Returns what to do about a server that was killed, by its id. */
export function hintForKill(containerId: string): string {
  if (isProcessId(containerId))
    return 'It was killed (SIGKILL), or the process of testfleet that runs it was. If nobody did that, the memory of this machine ran out: see `dmesg`.'
  return 'It was killed (SIGKILL). If nobody did that, memory ran out: raise `limits.memory`.'
}
