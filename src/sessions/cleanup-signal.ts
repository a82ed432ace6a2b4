import { label } from '../model/labels.ts'
import { stopTimeOf } from '../runtime/runtime.ts'
import type { SessionTools } from './tools.ts'

const CLEANUP_TIMEOUT_MS = 60_000

/** Upper bound for the stop times of a session. A timer cannot be longer than 24 days. */
const LONGEST_STOP_MS = 24 * 60 * 60_000

/**
 * Creates a signal with a deadline for cleaning up after a session, with time for each server to stop. The call's own
 * signal may already have fired.
 */
export async function cleanupSignal(session: string, tools: Pick<SessionTools, 'runtime'>): Promise<AbortSignal> {
  return AbortSignal.timeout(await cleanupTimeoutMs(session, tools))
}

export async function cleanupTimeoutMs(session: string, tools: Pick<SessionTools, 'runtime'>): Promise<number> {
  return CLEANUP_TIMEOUT_MS + (await sumStopTimes(session, tools))
}

/**
 * Returns how long the servers of a session may take to stop one after the other, in milliseconds, as they do when each
 * depends on the next one. 0 when the engine does not say.
 */
export async function sumStopTimes(session: string, { runtime }: Pick<SessionTools, 'runtime'>): Promise<number> {
  const look = { signal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS) }
  const servers = await runtime.listServers({ [label.session]: session }, look).catch(() => [])
  return Math.min(
    LONGEST_STOP_MS,
    servers.reduce((ms, server) => ms + stopTimeOf(server), 0),
  )
}
