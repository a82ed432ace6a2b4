import { watch } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { ContainerEvent, FollowRange } from '../../../model/container-event.ts'
import type { Labels } from '../../../model/labels.ts'
import { onAbort } from '../../../model/on-abort.ts'
import type { CallOptions, EventRange } from '../../engine.ts'
import { matchLabels } from '../match-labels.ts'
import { listNames, makeFolder, readRecord, undefinedIfGone } from '../store.ts'
import type { Local } from '../types.ts'
import { eventFolder, type LoggedEvent, logNames, noteEnd, parseLines, readLog } from './event-log.ts'
import { containerPath, findContainer, type Run } from './life.ts'

/** Docker's words, which the failure bundle shows to people. */
const actions: Readonly<Record<ContainerEvent['kind'], string>> = {
  created: 'create',
  started: 'start',
  paused: 'pause',
  resumed: 'unpause',
  removed: 'destroy',
  exited: 'die',
  outOfMemory: 'oom',
  signalled: 'kill',
  healthy: 'health_status: healthy',
  unhealthy: 'health_status: unhealthy',
}

export async function readEvents(
  local: Local,
  labels: Labels,
  { fromMs, toMs }: EventRange,
): Promise<readonly unknown[]> {
  await noteAllEnds(local)
  const sieve = makeSieve(labels, { sinceMs: fromMs, untilMs: toMs })
  return (await readLog(local)).flatMap(sieve).map((event) => ({
    Type: 'container',
    Action: actions[event.kind],
    Actor: {
      ID: event.container,
      Attributes: {
        ...event.labels,
        name: event.name,
        ...(event.kind === 'exited' && { exitCode: String(event.exitCode) }),
        ...(event.kind === 'signalled' && event.signal !== undefined && { signal: event.signal }),
      },
    },
    time: Math.floor(event.atMs / 1000),
    timeNano: Math.round(event.atMs * 1e6),
  }))
}

/**
 * Follows the log of events. Ends of containers come from the folder of exit codes: the process that sees one first writes it into
 * the log. The log is read on until nothing is left, so that an event between two notices is not lost.
 */
export async function* followEvents(
  local: Local,
  labels: Labels,
  range: FollowRange,
  { signal }: CallOptions = {},
): AsyncGenerator<ContainerEvent, void, void> {
  signal?.throwIfAborted()
  const { sinceMs = Date.now(), untilMs } = range
  const sieve = makeSieve(labels, { sinceMs, untilMs })
  const [exits, folder] = [local.store.path('exits'), eventFolder(local)]
  await Promise.all([makeFolder(exits), makeFolder(folder)])
  const bell = openBell([exits, folder], untilMs, signal)
  const tail = openTail(folder)
  try {
    for (let isOver = false; !isOver; ) {
      // Asked first: what happened before it is over is still read.
      isOver = untilMs !== undefined && Date.now() > untilMs
      const rung = bell.next()
      await noteAllEnds(local)
      for (const event of await tail.read()) yield* sieve(event)
      if (!isOver) await rung
    }
  } finally {
    bell.close()
    await tail.close()
  }
}

/** Picks events with these labels in a range, in order of time for each container, and each end only once. */
function makeSieve(labels: Labels, { sinceMs = 0, untilMs = Number.POSITIVE_INFINITY }: FollowRange) {
  const last = new Map<string, number>()
  const ends = new Set<string>()
  return (logged: LoggedEvent): readonly ContainerEvent[] => {
    const { run, ...event } = logged
    const key = `${event.container} ${run} ${event.kind}`
    if (run !== undefined && (event.kind === 'exited' || event.kind === 'outOfMemory')) {
      if (ends.has(key)) return []
      ends.add(key)
    }
    // The file system's clock is somewhat behind, so that an end can seem older than the signal that caused it.
    const atMs = Math.max(event.atMs, last.get(event.container) ?? 0)
    if (event.kind === 'removed') last.delete(event.container)
    else last.set(event.container, atMs)
    const isWanted = atMs >= sinceMs && Math.floor(atMs) <= untilMs && matchLabels(event.labels, labels)
    return isWanted ? [{ ...event, atMs }] : []
  }
}

/** Writes down the ends that nobody has seen. */
async function noteAllEnds(local: Local): Promise<void> {
  const ids = await listNames(local.store.path('exits'))
  await Promise.all(
    ids.map(async (id) => {
      const record = await findContainer(local, id)
      if (record !== undefined)
        await noteEnd(local, record, await readRecord<Run>(containerPath(local, id, 'run.json')))
    }),
  )
}

/** Waits for changes in folders. */
function openBell(folders: readonly string[], untilMs: number | undefined, signal: AbortSignal | undefined) {
  let waiting: { readonly resolve: () => void; readonly reject: (reason: unknown) => void } | undefined
  const ring = (): void => waiting?.resolve()
  const watchers = folders.map((folder) => watch(folder, ring))
  for (const watcher of watchers) watcher.on('error', (error) => waiting?.reject(error))
  const clock = untilMs === undefined ? undefined : setTimeout(ring, Math.max(0, untilMs + 1 - Date.now()))
  const stopListening = onAbort(signal, () => waiting?.reject(signal?.reason))
  return {
    /** Resolves at the next change after this call. */
    next(): Promise<void> {
      const next = new Promise<void>((resolve, reject) => {
        waiting = { resolve, reject }
        if (signal?.aborted) reject(signal.reason)
        // What was due before nobody waited.
        if (untilMs !== undefined && Date.now() > untilMs) resolve()
      })
      // The caller may still be busy with what was there before.
      next.catch(() => {})
      return next
    },
    close(): void {
      for (const watcher of watchers) watcher.close()
      clearTimeout(clock)
      stopListening()
    },
  }
}

/** Reads what is new in the log. When the file was renamed, its rest is read first, then the new one from its start. */
function openTail(folder: string) {
  let file: FileHandle | undefined
  let inode = 0
  let offset = 0
  let rest = Buffer.alloc(0)
  let isFirst = true
  const readOn = async (): Promise<readonly LoggedEvent[]> => {
    const chunks = [rest]
    const size = 64 << 10
    for (;;) {
      const found = await file?.read(Buffer.alloc(size), 0, size, offset)
      if (!found?.bytesRead) break
      offset += found.bytesRead
      chunks.push(found.buffer.subarray(0, found.bytesRead))
    }
    const bytes = Buffer.concat(chunks)
    const end = bytes.lastIndexOf(0x0a) + 1
    rest = bytes.subarray(end)
    return parseLines(bytes.toString('utf8', 0, end))
  }
  const openNamed = async (name: string): Promise<readonly LoggedEvent[]> => {
    const opened = await open(`${folder}/${name}`).catch(undefinedIfGone)
    const ino = (await opened?.stat())?.ino
    if (opened === undefined || ino === inode) {
      await opened?.close()
      return []
    }
    // What was written into the old one just before it was renamed.
    const last = await readOn()
    await file?.close()
    file = opened
    inode = ino ?? 0
    offset = 0
    rest = Buffer.alloc(0)
    return last
  }
  return {
    async read(): Promise<readonly LoggedEvent[]> {
      const found: LoggedEvent[] = []
      if (isFirst) await openNamed(logNames.earlier)
      isFirst = false
      for (;;) {
        const before = inode
        found.push(...(await readOn()))
        found.push(...(await openNamed(logNames.current)))
        if (inode === before) return found
      }
    },
    close: async (): Promise<void> => file?.close(),
  }
}
