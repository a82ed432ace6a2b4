import { setTimeout as sleep } from 'node:timers/promises'
import type { LineServer } from '../lender/line-server.ts'
import type { Service } from '../lender/serve-lender.ts'
import { TestfleetError } from '../model/failures.ts'
import { onAbort } from '../model/on-abort.ts'
import { openToolsAt, sweepSessions } from '../open-tools.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { answerClient } from './answer-client.ts'
import { type LendingListener, SessionLending } from './lend-session.ts'
import { claimLending, leaveLending } from './lender-place.ts'
import type { PoolOrder } from './order.ts'

/** Interval at which the session is looked for, in case that nothing tells that it has ended. */
const LOOK_MS = 5000
/** Pause after the events of the engine have broken off. */
const RETRY_MS = 1000
/** How long a lender stays without clients when no server of its session has a `pool`. */
const IDLE_MS = 5 * 60_000
/** How long a lender that cannot lend tells its clients why. */
const FAILED_MS = 1000
const LEAVE_TIMEOUT_MS = 10_000

/** Lends the servers of a session until the session ends, or until nobody needs it any more. */
export const serve: Service<PoolOrder> = async (order, server, { host, signal, release }) => {
  const stop = new AbortController()
  const over = new Promise<void>((resolve) => onAbort(stop.signal, resolve))
  const end = (): void => stop.abort(new TestfleetError('NO_SESSION', 'the session is ending'))
  let isSessionGone = false
  const endWithSession = (): void => {
    isSessionGone = true
    end()
  }
  onAbort(signal, end)
  const tools = await openToolsAt(order.endpoint, host, () => {}, stop.signal)
  const done = Promise.withResolvers<void>()
  const onEnd = async (): Promise<void> => {
    endWithSession()
    await done.promise
  }
  const lending = begin(order, tools, {
    onEnd,
    // A copy that dies is replaced.
    onBegun(copies) {
      void follow(copies, tools, async (container) => (await lending).containerEnded(container))
    },
  })
  lending.catch(() => {})
  let isServerEnding = false
  const endWithServers = (): Promise<void> => {
    isServerEnding = true
    return onEnd()
  }
  server.onClient((client) => answerClient(client, lending, { signal: stop.signal, endWithSession: endWithServers }))
  try {
    const session = await lending
    void follow(order.session, tools, async (container, isRemoved) => {
      session.containerEnded(container)
      if (!isRemoved) return
      if ((await tools.sessions.find(order.session, tools)) === undefined) endWithSession()
      else await session.refresh()
    })
    void lookForSession(order.session, tools, endWithSession)
    endWhenIdle(server, session, () => {
      // Who leases now gets a new lender: the session goes on.
      release()
      end()
    })
    await over
  } catch {
    // Each client gets the reason as an answer.
    if (!stop.signal.aborted) await sleep(FAILED_MS)
  } finally {
    end()
    // Those who wait get their answer first.
    await sleep(1)
    server.close()
    // The next lender need not wait until everything is removed.
    if (!isSessionGone) await leaveLending(order.session, tools, AbortSignal.timeout(LEAVE_TIMEOUT_MS)).catch(() => {})
    const later = await lending.catch(() => undefined)
    await later?.end({ isServerEnding }).catch(() => {})
    done.resolve()
    tools.engine.close()
  }
}

async function begin(order: PoolOrder, tools: Tools, listener: LendingListener): Promise<SessionLending> {
  await sweepSessions(tools)
  const parent = await claimParent(order, tools)
  return new SessionLending(parent, order.fleet, listener, tools)
}

async function claimParent({ session, socket }: PoolOrder, tools: Tools): Promise<StoredRecord> {
  const parent = await claimLending(session, socket, tools)
  if (parent !== undefined) return parent
  throw new TestfleetError('NO_SESSION', 'the session whose servers were to be lent has ended')
}

/** Calls `onChange` with each container of a session that has ended or was removed. */
async function follow(
  id: string,
  { runtime, signal }: Tools,
  onChange: (container: string, isRemoved: boolean) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { kind, id: container } of runtime.followServers(id, {}, { signal }))
        if (kind === 'exited' || kind === 'removed') await onChange(container, kind === 'removed')
    } catch {
      // The engine is asked again, unless the lender ends.
      await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
    }
  }
}

async function lookForSession(id: string, tools: Tools, end: () => void): Promise<void> {
  while (!tools.signal.aborted) {
    await sleep(LOOK_MS, undefined, { signal: tools.signal }).catch(() => {})
    // An engine that does not answer may still have it.
    const isGone = await tools.sessions.find(id, tools).then(
      (found) => found === undefined,
      () => false,
    )
    if (isGone) end()
  }
}

function endWhenIdle(server: LineServer, lending: SessionLending, end: () => void): void {
  let clock: NodeJS.Timeout | undefined
  const look = (): void => {
    clearTimeout(clock)
    if (server.clients === 0 && !lending.isLasting) clock = setTimeout(end, IDLE_MS)
  }
  server.onChange(look)
  look()
}
