import { isFailure } from '../model/failures.ts'
import type { Holder } from '../model/session.ts'
import { awaitReady } from '../report/report.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import type { Copy } from './prepare-copy.ts'

/** A copy that does not answer by then is thrown away. */
const ANSWER_TIMEOUT_MS = 10_000

/** Freezes the servers of a copy. Returns why they cannot be; they then all run. */
export async function pauseCopy({ running }: Copy, { runtime, signal }: Tools): Promise<string | undefined> {
  const ids = running.map(({ container }) => container.id)
  const results = await Promise.allSettled(ids.map((id) => runtime.pauseServer(id, { signal })))
  const refused = results.find((result) => result.status === 'rejected')
  if (refused === undefined) return undefined
  await Promise.all(ids.map((id) => runtime.resumeServer(id, { signal })))
  const { reason } = refused
  if (isFailure(reason)) return reason.message
  throw reason
}

/**
 * Resumes the servers of a copy, and asks each one's ready checks again as soon as it runs. Fails with READY_TIMEOUT or
 * SERVER_DIED, or as the engine refuses.
 */
export async function resumeCopy({ running, readSecrets }: Copy, tools: Tools): Promise<void> {
  const { runtime, signal } = tools
  await Promise.all(
    running.map(async ({ name, container, spec }) => {
      await runtime.resumeServer(container.id, { signal })
      const limited = { ...spec, readyTimeoutMs: Math.min(spec.readyTimeoutMs, ANSWER_TIMEOUT_MS) }
      const server = { server: name, container: container.id, spec: limited }
      await awaitReady(server, container, tools, signal, { readSecrets })
    }),
  )
}

/** Makes `holder` the holder of a copy's session, which is then like any other session. Undefined when it is gone. */
export function giveRecord({ id }: Copy, holder: Holder, tools: Tools): Promise<StoredRecord | undefined> {
  return tools.sessions.update(
    id,
    ({ isStandby: _, ...now }) =>
      now.lifetime.kind === 'held' ? { ...now, lifetime: { ...now.lifetime, holders: [holder] } } : undefined,
    { signal: tools.signal },
  )
}
