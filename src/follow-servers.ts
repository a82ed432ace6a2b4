import { setTimeout as sleep } from 'node:timers/promises'
import { isFailure } from './model/failures.ts'
import type { ServerChange } from './runtime/runtime.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'

/** How often to check whether the session still exists. */
const LOOK_MS = 1000
/** A list that is read while the record is being replaced can lack it, so its absence is confirmed. */
const CONFIRM_MS = 100
/** Pause before a broken stream is opened again. */
const PAUSE_MS = 250
/** Number of consecutive streams that may break without delivering anything. */
const MOST_BREAKS = 40

type FollowTools = Pick<Tools, 'runtime' | 'sessions' | 'signal'>

/**
 * Follows what happens to the servers of a session, whatever causes it, until the session is taken down or the signal fires.
 * With `sinceMs`, it begins with what the engine remembers of the time since then. When its connection breaks, it goes on
 * after the last event. Fails with ENGINE_LOST when the engine does not come back.
 */
export async function* followServers(
  { id }: Pick<StoredRecord, 'id'>,
  sinceMs: number | undefined,
  { runtime, sessions, signal }: FollowTools,
): AsyncGenerator<ServerChange, void, undefined> {
  let last: number | undefined
  let breaks = 0
  const read = async function* (untilMs: number | undefined, own: AbortSignal): AsyncGenerator<ServerChange> {
    for await (const change of runtime.followServers(id, { sinceMs: last ?? sinceMs, untilMs }, { signal: own })) {
      // The engine repeats the last event, because it counts in milliseconds.
      if (last !== undefined && change.atMs <= last) continue
      last = change.atMs
      breaks = 0
      yield change
    }
  }
  const stop = new AbortController()
  const watched = AbortSignal.any([signal, stop.signal])
  const ended = watchSession(id, sessions, watched).then(
    () => stop.abort(sessionEnded),
    (error: unknown) => stop.abort(error),
  )
  try {
    while (!stop.signal.aborted) {
      try {
        yield* read(undefined, watched)
      } catch (error) {
        if (watched.aborted) break
        if (!isFailure(error, 'ENGINE_LOST') || ++breaks > MOST_BREAKS) throw error
        await sleep(PAUSE_MS, undefined, { signal: watched }).catch(() => {})
      }
    }
    signal.throwIfAborted()
    if (stop.signal.reason !== sessionEnded) throw stop.signal.reason
    // Events that a slow reader has not read yet.
    if ((last ?? sinceMs) !== undefined) yield* read(Date.now(), signal)
  } finally {
    stop.abort()
    await ended
  }
}

const sessionEnded = Symbol('the session was taken down')

/** Resolves once the session no longer exists. */
async function watchSession(id: string, sessions: FollowTools['sessions'], signal: AbortSignal): Promise<void> {
  for (let isGone = false; ; await sleep(isGone ? CONFIRM_MS : LOOK_MS, undefined, { signal })) {
    const isMissing = (await sessions.find(id, { signal })) === undefined
    if (isMissing && isGone) return
    isGone = isMissing
  }
}
