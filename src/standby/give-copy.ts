import { isFailure } from '../model/failures.ts'
import type { Holder } from '../model/session.ts'
import { awaitReady, observeServers } from '../report/report.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import type { Copy } from './prepare-copy.ts'

/** A copy that does not answer by then is thrown away. */
const ANSWER_TIMEOUT_MS = 10_000

/** Freezes the servers of a copy. Returns why they cannot be; they then all run. */
export async function pauseCopy({ running }: Copy, { runtime, signal }: Tools): Promise<string | undefined> {
  const results = await Promise.allSettled(running.map((id) => runtime.pauseServer(id, { signal })))
  const refused = results.find((result) => result.status === 'rejected')
  if (refused === undefined) return undefined
  await resumeCopy({ running }, { runtime, signal })
  const { reason } = refused
  if (isFailure(reason)) return reason.message
  throw reason
}

export async function resumeCopy(
  { running }: Pick<Copy, 'running'>,
  { runtime, signal }: Pick<Tools, 'runtime' | 'signal'>,
): Promise<void> {
  await Promise.all(running.map((id) => runtime.resumeServer(id, { signal })))
}

/** Checks again whether each server that runs is ready. Fails with READY_TIMEOUT or SERVER_DIED. */
export async function awaitCopy({ record, running }: Copy, tools: Tools): Promise<void> {
  const observed = await observeServers(record, tools.runtime, tools)
  await Promise.all(
    [...observed.values()].map(async ({ name, container, spec }) => {
      if (!running.includes(container.id)) return
      const limited = { ...spec, readyTimeoutMs: Math.min(spec.readyTimeoutMs, ANSWER_TIMEOUT_MS) }
      await awaitReady({ server: name, container: container.id, spec: limited }, container, tools, tools.signal)
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
