import { appendFile, open, rename, stat, writeFile } from 'node:fs/promises'
import { readSignal } from '../../../formats/signal.ts'
import type { ContainerChange, ContainerEvent } from '../../../model/container-event.ts'
import { makeFolder, undefinedIfGone } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { containerPath, isThere, type Run, readExit } from './life.ts'

/** A line of the log of events: the event, and the run of the container that it belongs to. */
export type LoggedEvent = ContainerEvent & { readonly run?: number | undefined }

/** The log has two files of at most this length: the current one, and the one before. */
const MOST_BYTES = 1 << 20

export const logNames = { current: 'events', earlier: 'events.1' } as const

/** Folder of the log of events. */
export function eventFolder({ store }: Pick<Local, 'store'>): string {
  return store.path('events')
}

/**
 * Writes down that something happened to a container. Each line is one call of the kernel, so that lines of several
 * processes never mix.
 */
export async function noteEvent(
  local: Local,
  { id, name, labels }: ContainerRecord,
  change: ContainerChange,
  { run, atMs = Date.now() }: { readonly run?: number | undefined; readonly atMs?: number } = {},
): Promise<void> {
  const event = { ...change, container: id, name, labels, atMs, run } as LoggedEvent
  const folder = eventFolder(local)
  const path = `${folder}/${logNames.current}`
  const line = `${JSON.stringify(event)}\n`
  try {
    await appendFile(path, line, { mode: 0o600 })
  } catch (error) {
    undefinedIfGone(error as NodeJS.ErrnoException)
    await makeFolder(folder)
    await appendFile(path, line, { mode: 0o600 })
  }
  const size = (await stat(path).catch(undefinedIfGone))?.size ?? 0
  if (size > MOST_BYTES) await rotate(folder)
}

/** Of several calls at once, the first renames the long file, and the others find a short one. */
async function rotate(folder: string): Promise<void> {
  const path = `${folder}/${logNames.current}`
  const size = (await stat(path).catch(undefinedIfGone))?.size ?? 0
  if (size > MOST_BYTES) await rename(path, `${folder}/${logNames.earlier}`).catch(undefinedIfGone)
}

export function noteSignal(local: Local, record: ContainerRecord, signal: string): Promise<void> {
  return noteEvent(local, record, { kind: 'signalled', signal: readSignal(signal) })
}

/**
 * Writes down the end of a container's run, once: no process waits for it but those that want to know. The first one that
 * sees it marks it as written, and should it die before, the next one writes it again.
 */
export async function noteEnd(local: Local, record: ContainerRecord, run: Run | undefined): Promise<void> {
  if (run === undefined) return
  const marker = containerPath(local, record.id, `ended-${run.startedAtMs}`)
  if (await isThere(marker)) return
  const exit = await readExit(local, record.id)
  if (exit === undefined) return
  const told = { run: run.startedAtMs, atMs: exit.atMs }
  if (await isOutOfMemory(local, record.id)) await noteEvent(local, record, { kind: 'outOfMemory' }, told)
  await noteEvent(local, record, { kind: 'exited', exitCode: exit.code }, told)
  await writeFile(marker, '', { mode: 0o600 }).catch(undefinedIfGone)
}

/** Whether the monitor has seen that the kernel killed a process of the container for want of memory. */
export function isOutOfMemory(local: Local, id: string): Promise<boolean> {
  return isThere(containerPath(local, id, 'oom'))
}

/** Reads the whole log, the oldest line first. */
export async function readLog(local: Local): Promise<readonly LoggedEvent[]> {
  const texts = await Promise.all([logNames.earlier, logNames.current].map((name) => readBounded(local, name)))
  return texts.flatMap(parseLines)
}

async function readBounded(local: Local, name: string): Promise<string> {
  const file = await open(`${eventFolder(local)}/${name}`).catch(undefinedIfGone)
  if (file === undefined) return ''
  try {
    // Somewhat more than its limit fits in: it is renamed after a line has made it too long.
    const { bytesRead, buffer } = await file.read(Buffer.alloc(2 * MOST_BYTES), 0, 2 * MOST_BYTES, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** A line that cannot be read, because its writer died or the disk was full, is left out. */
export function parseLines(text: string): readonly LoggedEvent[] {
  return text.split('\n').flatMap((line) => {
    try {
      return line === '' ? [] : [JSON.parse(line) as LoggedEvent]
    } catch {
      return []
    }
  })
}
