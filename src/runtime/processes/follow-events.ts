import { setTimeout as sleep } from 'node:timers/promises'
import type { FollowRange } from '../../model/container-event.ts'
import { onAbort } from '../../model/on-abort.ts'
import type { ServerChange } from '../runtime.ts'
import type { EventFile } from './event-file.ts'

/** How often a file is looked at. */
const LOOK_MS = 100

/** Follows the events of a session's servers. Their file need not exist yet. */
export async function* followEvents(
  file: EventFile,
  { sinceMs, untilMs }: FollowRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<ServerChange, void, void> {
  const isWanted = ({ atMs }: ServerChange): boolean => atMs >= (sinceMs ?? 0) && atMs <= (untilMs ?? atMs)
  signal?.throwIfAborted()
  const release = file.hold()
  // A session is read to its end, when its file is gone.
  const stopListening = onAbort(signal, release)
  try {
    for (let taken = sinceMs === undefined ? file.read().length : 0; ; ) {
      const isLast = untilMs !== undefined && Date.now() >= untilMs
      const changes = file.read().slice(taken)
      taken += changes.length
      yield* changes.filter(isWanted)
      if (isLast) return
      await sleep(LOOK_MS, undefined, { ...(signal && { signal }) }).catch(() => {})
      signal?.throwIfAborted()
    }
  } finally {
    stopListening()
    release()
  }
}

/** How long a process's event waits for an earlier one of a container, which takes a moment to arrive. */
const HOLD_MS = 200

/**
 * Merges the events of containers and of processes in the order of their times. An event that is late gets the time of
 * the one before it. The caller ends both sources.
 */
export async function* mergeChanges(
  containers: AsyncIterable<ServerChange>,
  processes: AsyncIterable<ServerChange>,
): AsyncGenerator<ServerChange, void, void> {
  let lastMs = 0
  const inOrder = (change: ServerChange): ServerChange => {
    // A reader that goes on after a broken connection takes an equal time for a repeated event.
    lastMs = change.atMs > lastMs ? change.atMs : lastMs + 0.001
    return { ...change, atMs: lastMs }
  }
  const [slow, quick] = [openSource(containers), openSource(processes)]
  while (!(slow.isOver && quick.isOver)) {
    if (slow.next === undefined && quick.next === undefined) {
      await Promise.race([slow.arrive(), quick.arrive()].filter((one) => one !== undefined))
      continue
    }
    if (slow.next === undefined && !slow.isOver) await Promise.race([slow.arrive(), sleep(HOLD_MS)])
    const isSlow = quick.next === undefined || (slow.next !== undefined && slow.next.atMs <= quick.next.atMs)
    const change = (isSlow ? slow : quick).take()
    if (change !== undefined) yield inOrder(change)
  }
}

interface Source {
  /** The event that has arrived and was not taken yet. */
  readonly next: ServerChange | undefined
  readonly isOver: boolean
  /** Resolves once an event has arrived, or the source has ended; undefined when it has. */
  arrive(): Promise<void> | undefined
  take(): ServerChange | undefined
}

function openSource(changes: AsyncIterable<ServerChange>): Source {
  const iterator = changes[Symbol.asyncIterator]()
  let next: ServerChange | undefined
  let isEnded = false
  let arriving: Promise<void> | undefined
  return {
    get next() {
      return next
    },
    get isOver() {
      return isEnded && next === undefined
    },
    arrive() {
      if (isEnded || next !== undefined) return undefined
      arriving ??= iterator.next().then((result) => {
        arriving = undefined
        if (result.done === true) isEnded = true
        else next = result.value
      })
      return arriving
    },
    take() {
      const taken = next
      next = undefined
      return taken
    },
  }
}
