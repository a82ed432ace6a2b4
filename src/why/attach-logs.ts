import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createBoundedList, toLines } from '../failure/bounded-list.ts'
import { readLines } from '../failure/bundle/container-log.ts'
import { gatherSecrets } from '../failure/bundle/gather-secrets.ts'
import { createMask, type Mask } from '../failure/mask.ts'
import { replaceFile } from '../files/replace-file.ts'
import { NAME } from '../formats/grammar.ts'
import { wordFileError } from '../formats/word-error.ts'
import { EVENTS_FILE, WHY_FILE } from '../model/attached-file.ts'
import type { Cause } from '../model/cause.ts'
import { isFailure } from '../model/failures.ts'
import { formatWhy } from '../model/format-why.ts'
import { type ObservedServer, observeServers } from '../report/report.ts'
import type { ServerChange } from '../runtime/runtime.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { mayReplace, OWN_EVENT, OWN_LINE } from './attach-folder.ts'

/** Limit for the log of one server: the lines in its middle are left out. */
export const MAX_LOG_LENGTH = 8 * 1024 * 1024
/** Last lines of each log for people. */
const LINES_SHOWN = 50
/** For everything. What is left of it is shared by the files that are still to be read. */
const DEADLINE_MS = 60_000

const TOO_SLOW = 'the engine took too long to send it'

/** Where the logs of a failed command go, and how an event is written. */
export interface AttachRequest {
  /** Absolute path, as `checkAttachFolder` returns it. */
  readonly folder: string
  toEvent(change: ServerChange): object
}

export interface AttachedLogs {
  readonly folder: string
  /** What could not be written, and why. */
  readonly problems: readonly string[]
  /** Last lines of the log of each server, by its name. */
  readonly logs: Readonly<Record<string, readonly string[]>>
}

interface Attaching {
  readonly record: StoredRecord
  /** The time of the command begins then. */
  readonly sinceMs: number
  readonly causes: readonly Cause[]
}

/** Writes what the servers logged while a command ran, what happened to them, and what was wrong. Never fails. */
export async function attachLogs(
  { folder, toEvent }: AttachRequest,
  { record, sinceMs, causes }: Attaching,
  tools: Tools,
): Promise<AttachedLogs> {
  const problems: string[] = []
  const logs: Record<string, readonly string[]> = {}
  const untilMs = Date.now()
  const giveUpAt = performance.now() + DEADLINE_MS
  const signal = AbortSignal.any([tools.signal, AbortSignal.timeout(DEADLINE_MS)])
  const attempt = async (file: string, work: () => Promise<string>): Promise<void> => {
    try {
      const path = join(folder, file)
      if (!(await mayReplace(path))) throw new Error('another file is there')
      const text = await work()
      // Replaces a file instead of writing into it, so that nothing outside the folder is written.
      await replaceFile(path, (beside) => writeFile(beside, text, { flag: 'wx', mode: 0o600 }))
    } catch (error) {
      problems.push(`${file} was not written: ${isFailure(error) ? error.message : wordFileError(error)}`)
    }
  }
  const why = { session: record.name, fleet: record.fleet, endedAt: new Date(untilMs).toISOString(), causes }
  try {
    await mkdir(folder, { recursive: true })
    await attempt(WHY_FILE, async () => `${OWN_LINE}\n${formatWhy(why)}`)
    const observed = [...(await observeServers(record, tools.runtime, { signal })).values()]
    const { values, unknown } = await gatherSecrets(observed, tools, signal)
    const mask = createMask(values)
    const readable = unknown.length > 0 ? [] : observed.filter(({ name }) => NAME.test(name))
    const share = (files: number): AbortSignal =>
      AbortSignal.timeout(Math.max(0, Math.floor((giveUpAt - performance.now()) / files)))
    await attempt(EVENTS_FILE, () =>
      readEvents(record.id, { sinceMs, untilMs }, toEvent, tools, share(1 + readable.length)),
    )
    for (const [index, server] of readable.entries()) {
      await attempt(`${server.name}.log`, async () => {
        const lines = await readLog(server, sinceMs, mask, tools, share(readable.length - index))
        logs[server.name] = lines.slice(-LINES_SHOWN)
        return [OWN_LINE, ...lines, ''].join('\n')
      })
    }
    if (unknown.length > 0) problems.push(`no log was written: the secrets of ${unknown.join(', ')} cannot be masked`)
  } catch (error) {
    problems.push(isFailure(error) ? error.message : wordFileError(error))
  }
  return { folder, problems, logs }
}

async function readEvents(
  session: string,
  range: { readonly sinceMs: number; readonly untilMs: number },
  toEvent: AttachRequest['toEvent'],
  { runtime, signal }: Pick<Tools, 'runtime' | 'signal'>,
  deadline: AbortSignal,
): Promise<string> {
  const events = createBoundedList<string>(MAX_LOG_LENGTH, ({ length }) => length)
  const changes = runtime.followServers(session, range, { signal: AbortSignal.any([signal, deadline]) })
  const isWhole = await readUntil(deadline, changes, (change) => events.add(JSON.stringify(toEvent(change))))
  const lines = toLines(
    events.read(),
    (line) => line,
    (count) => JSON.stringify({ kind: 'cut', missing: count }),
  )
  const end = isWhole ? [] : [JSON.stringify({ kind: 'cut', because: TOO_SLOW })]
  return [OWN_EVENT, ...lines, ...end, ''].join('\n')
}

async function readLog(
  { container }: ObservedServer,
  sinceMs: number,
  mask: Mask,
  { runtime, signal }: Pick<Tools, 'runtime' | 'signal'>,
  deadline: AbortSignal,
): Promise<string[]> {
  const kept = createBoundedList<string>(MAX_LOG_LENGTH, ({ length }) => length)
  const options = { signal: AbortSignal.any([signal, deadline]) }
  const log = readLines(container.id, { sinceMs }, runtime, mask, options)
  const isWhole = await readUntil(deadline, log, (line) => kept.add(line))
  const lines = toLines(
    kept.read(),
    (line) => line,
    (count) => `[${count} lines are left out here: the log is longer than ${MAX_LOG_LENGTH} characters]`,
  )
  return isWhole ? lines : [...lines, `[the rest is left out: ${TOO_SLOW}]`]
}

/** Takes items until their end, or until the deadline. Returns whether it has taken all. */
async function readUntil<Item>(
  deadline: AbortSignal,
  items: AsyncIterable<Item>,
  take: (item: Item) => void,
): Promise<boolean> {
  try {
    for await (const item of items) take(item)
    return true
  } catch (error) {
    if (!deadline.aborted) throw error
    return false
  }
}
