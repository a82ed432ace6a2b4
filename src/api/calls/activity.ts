import { openContext } from '../../failure/bundle/context.ts'
import type { Mask } from '../../failure/mask.ts'
import { type LogLine, readLogs } from '../../logs.ts'
import type { ObservedServer } from '../../report/report.ts'
import { readLife } from '../../report/server-state.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import { type CallSettings, withSession } from '../call.ts'
import { mapServerChange } from '../map-event.ts'
import type { ActivityEvent, ActivityLine, ActivityOptions, ServerActivity } from '../types/activity.ts'

/** Limit in characters for the lines of each server. */
const MAX_SIZE = 64 * 1024

interface Range {
  readonly sinceMs: number
  readonly untilMs: number
}

/** Reads what servers of a session wrote to their logs in a time, and what happened to them. */
export function activity(
  client: CallSettings,
  { servers = [], since, until, ...options }: ActivityOptions,
): Promise<readonly ServerActivity[]> {
  const range = { sinceMs: since.getTime(), untilMs: until.getTime() }
  return withSession(client, options, async (record, tools) => {
    const { containers, mask, isShown } = await openContext(record, tools)
    const wanted = containers.filter(({ name }) => servers.length === 0 || servers.includes(name))
    const [events, exitCodes, ...logs] = await Promise.all([
      readEvents(record, range, tools),
      Promise.all(wanted.map((one) => readExitCode(one, tools))),
      ...wanted.map(({ name }) => (isShown ? readLog(record, name, range, mask, tools) : secret)),
    ])
    return wanted.map(({ name }, index) => ({
      server: name,
      ...(logs[index] as typeof secret),
      events: events.filter(({ data }) => data.server === name),
      exitCode: exitCodes[index],
    }))
  })
}

/** Returns the exit code of a server that has ended, unless it has completed its work. What cannot be read is left out. */
async function readExitCode({ container, spec }: ObservedServer, tools: Tools): Promise<number | undefined> {
  const life = await readLife(container, spec, tools.runtime, tools).catch(() => undefined)
  tools.signal.throwIfAborted()
  return life?.state === 'exited' ? life.exitCode : undefined
}

const secret = { lines: [] as ActivityLine[], leftOut: 0, problem: 'its secrets could not be read and masked' }

async function readLog(
  record: StoredRecord,
  server: string,
  { sinceMs }: Range,
  mask: Mask,
  tools: Tools,
): Promise<Pick<ServerActivity, 'lines' | 'leftOut' | 'problem'>> {
  const request = { servers: [server], follow: false, tail: undefined, sinceMs, timestamps: true }
  let end: Awaited<ReturnType<typeof readEnd>>
  try {
    end = await readEnd(readLogs(record, request, tools))
  } catch (error) {
    tools.signal.throwIfAborted()
    return { lines: [], leftOut: 0, problem: mask.text((error as Error).message) }
  }
  const { lines, leftOut } = end
  // All at once, because a secret can have several lines.
  const texts = mask.text(lines.map(({ text }) => text.slice(-MAX_SIZE)).join('\n')).split('\n')
  const isSame = texts.length === lines.length
  const masked = lines.map((line, index) => ({ ...line, text: isSame ? (texts[index] ?? '') : mask.text(line.text) }))
  // The engine sorts each stream only.
  return { lines: masked.toSorted((one, other) => (one.time < other.time ? -1 : 1)), leftOut }
}

/** Reads a log, and returns its last lines, which are at most 64 KiB with their line feeds, or one. */
export async function readEnd(
  log: AsyncIterable<LogLine>,
): Promise<{ readonly lines: readonly ActivityLine[]; readonly leftOut: number }> {
  const lines: ActivityLine[] = []
  let [size, leftOut] = [0, 0]
  const trim = (): void => {
    let first = 0
    for (; size > MAX_SIZE && first < lines.length - 1; first++) size -= sizeOf(lines[first])
    lines.splice(0, first)
    leftOut += first
  }
  for await (const line of log) {
    const read = readLine(line, lines.at(-1)?.time)
    lines.push(read)
    size += sizeOf(read)
    // Many at once, because each time moves all that stay.
    if (size > 2 * MAX_SIZE) trim()
  }
  trim()
  return { lines, leftOut }
}

function sizeOf(line: ActivityLine | undefined): number {
  return (line?.text.length ?? 0) + 1
}

/** Splits the time that the engine puts before a line from its text. The rest of a very long line has the time before it. */
function readLine({ stream, text }: LogLine, before = new Date(0).toISOString()): ActivityLine {
  const end = text.indexOf(' ')
  const time = Date.parse(text.slice(0, end))
  if (Number.isNaN(time)) return { time: before, stream, text }
  return { time: new Date(time).toISOString(), stream, text: text.slice(end + 1) }
}

/** If the engine fails, the logs are still of use, and the events until then. */
export async function readEvents(
  { id }: Pick<StoredRecord, 'id'>,
  range: Range,
  { runtime, signal }: { readonly runtime: Pick<Tools['runtime'], 'followServers'>; readonly signal: AbortSignal },
): Promise<ActivityEvent[]> {
  const events: ActivityEvent[] = []
  try {
    for await (const change of runtime.followServers(id, range, { signal })) {
      events.push({ time: new Date(change.atMs).toISOString(), ...mapServerChange(change) } as ActivityEvent)
    }
  } catch {
    signal.throwIfAborted()
  }
  return events
}
