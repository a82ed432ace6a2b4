import { label } from '../model/labels.ts'
import { stopTimeOf } from '../runtime/runtime.ts'
import type { SessionTools } from './tools.ts'

const CLEANUP_TIMEOUT_MS = 60_000

/**
 * Creates a signal with a deadline for cleaning up after a session, with time for each server to stop. The call's own
 * signal may already have fired.
 */
export async function cleanupSignal(session: string, tools: Pick<SessionTools, 'runtime'>): Promise<AbortSignal> {
  return AbortSignal.timeout(await cleanupTimeoutMs(session, tools))
}

export async function cleanupTimeoutMs(session: string, { runtime }: Pick<SessionTools, 'runtime'>): Promise<number> {
  const look = { signal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS) }
  const servers = await runtime.listServers({ [label.session]: session }, look).catch(() => [])
  return CLEANUP_TIMEOUT_MS + Math.max(0, ...servers.map(stopTimeOf))
}
