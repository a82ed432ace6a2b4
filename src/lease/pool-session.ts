import type { ServerRecord } from '../model/session.ts'
import { createSession, prepareChange } from '../sessions/begin-change.ts'
import { cleanupSignal } from '../sessions/cleanup-signal.ts'
import { endSession } from '../sessions/end.ts'
import { makeId } from '../sessions/make-id.ts'
import { makeSessionName } from '../sessions/resolve.ts'
import type { StoredRecord } from '../sessions/store.ts'
import { listenForEnd } from '../sessions/taken-down.ts'
import type { Tools } from '../tools.ts'

/** The session that owns the copies of another session's servers. It ends with the lender, and with that session. */
export interface PoolSession {
  readonly id: string
  readonly name: string
  /** Sets or removes the record of a copy, by the copy's name. */
  record(copy: string, server: ServerRecord | undefined): Promise<void>
  /** Removes everything. */
  end(): Promise<void>
}

const LONGEST_BEGINNING = 30

/** Begins it. `onEnd` is called when another call takes it down, and that call waits for the returned promise. */
export async function beginPoolSession(
  parent: StoredRecord,
  onEnd: () => Promise<void>,
  tools: Tools,
): Promise<PoolSession> {
  const name = makeSessionName(`${parent.name.slice(0, LONGEST_BEGINNING).replace(/-+$/, '')}-pool`)
  const { fleet, domain, id } = parent
  const prepared = prepareChange({ id: makeId(), name }, tools)
  // The record names the socket from its beginning: a call that finds the session can always ask for its end.
  const listener = await listenForEnd(tools.host, onEnd)
  const { socket } = listener
  const session = { name, parent: id, fleet, domain, file: undefined, isDefault: false, isHeld: true, socket }
  const change = await createSession(session, {}, prepared, tools).catch((error: unknown) => {
    listener.close()
    throw error
  })
  if (change === undefined) throw new Error(`the session ${name} already exists`)
  const end = async (): Promise<void> => {
    listener.close()
    try {
      const signal = await cleanupSignal(change.record.id, tools)
      // Another call may have removed the record while a copy was being made.
      const record = (await tools.sessions.find(change.record.id, { signal })) ?? change.record
      await endSession(record, { ...tools, signal }, { recheckMs: 0 })
      change.end()
    } finally {
      // The keeper removes what could not be removed here.
      change.handOver()
    }
  }
  try {
    await change.save({ fleet, domain, servers: {} })
    await change.finish()
  } catch (error) {
    await end().catch(() => {})
    throw error
  }
  return {
    id: change.record.id,
    name,
    async record(copy, server) {
      await tools.sessions.update(change.record.id, (now) => {
        const { [copy]: _, ...others } = now.servers
        return { ...now, servers: server === undefined ? others : { ...others, [copy]: server } }
      })
    },
    end,
  }
}
