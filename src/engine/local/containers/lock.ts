import { randomBytes } from 'node:crypto'
import { isRunning, markSelf, type ProcessMark } from '../processes.ts'
import { freeName, takeName } from '../store.ts'
import type { Local } from '../types.ts'
import { watchUntil } from '../watch.ts'

/** Time for what another call does with the container. */
const DEFAULT_MS = 120_000

interface LockOptions {
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number | undefined
}

/**
 * Does something with a container while no other call, of any process, changes its life: starting, removing and renaming
 * exclude each other. The lock of a process that has died is free. ENGINE_TIMEOUT.
 */
export async function withLock<T>(
  { store }: Local,
  id: string,
  { signal, timeoutMs = DEFAULT_MS }: LockOptions,
  act: () => Promise<T>,
): Promise<T> {
  const folder = store.path('locks')
  const owner = formatOwner(await markSelf())
  const take = async (): Promise<true | undefined> =>
    (await takeName(folder, id, owner, isOwnerRunning)) === owner ? true : undefined
  signal?.throwIfAborted()
  if (!(await take())) {
    const what = `the end of another call for the container ${id.slice(0, 12)}`
    await watchUntil(folder, id, take, { signal, timeoutMs, what, everyMs: 250 })
  }
  try {
    return await act()
  } finally {
    await freeName(folder, id, owner)
  }
}

/** Whether the process that has taken a lock still runs. */
export function isOwnerRunning(owner: string): Promise<boolean> {
  const [pid, startedAt = '', boot = ''] = owner.split(':')
  return isRunning({ pid: Number(pid), startedAt, boot })
}

/** Different for each call. */
export function formatOwner({ pid, startedAt, boot }: ProcessMark): string {
  return `${pid}:${startedAt}:${boot}:${randomBytes(4).toString('hex')}`
}
