import type { Fleet } from '../model/fleet.ts'
import { createSession, prepareChange } from './begin-change.ts'
import { collectErrors, endSession, withLeftovers } from './end.ts'
import { makeId } from './make-id.ts'
import { makeSessionName } from './resolve.ts'
import type { ChangeTools } from './tools.ts'

const CLEANUP_TIMEOUT_MS = 60_000

/**
 * Runs work that creates temporary objects on the engine, such as containers that read an image. The objects belong to
 * a session without servers, which is removed at the end, by its keeper if this process dies.
 */
export async function withScratch<Result>(
  fleet: Fleet,
  tools: ChangeTools,
  work: (change: string) => Promise<Result>,
): Promise<Result> {
  const name = makeSessionName(fleet.name)
  const prepared = prepareChange({ id: makeId(), name }, tools)
  const identity = { name, fleet: fleet.name, domain: fleet.domain, file: undefined, isDefault: false, isHeld: true }
  const change = await createSession(identity, {}, prepared, tools)
  if (change === undefined) throw new Error(`the name ${name} was drawn twice`)
  const clean = async (): Promise<void> => {
    const later = { ...tools, onEvent() {}, signal: AbortSignal.timeout(CLEANUP_TIMEOUT_MS) }
    try {
      await endSession(change.record, later, { recheckMs: 0 })
    } finally {
      change.handOver()
    }
  }
  const [result] = await Promise.allSettled([work(change.id)])
  const [cleanup] = await collectErrors([clean()])
  if (result?.status === 'fulfilled') {
    if (cleanup !== undefined) throw cleanup
    return result.value
  }
  throw cleanup === undefined ? result?.reason : withLeftovers(result?.reason, cleanup)
}
