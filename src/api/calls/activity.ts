import { openContext } from '../../failure/bundle/context.ts'
import type { Mask } from '../../failure/mask.ts'
import { type LogLine, readLogs } from '../../logs.ts'
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
    const [events, ...logs] = await Promise.all([
      readEvents(record, range, tools),
      ...wanted.map(({ name }) => (isShown ? readLog(record, name, range, mask, tools) : secret)),
    ])
    return wanted.map(({ name }, index) => ({
      server: name,
      ...(logs[index] as typeof secret),
      events: events.filter(({ data }) => data.server === name),
    }))
  })
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
  const lines: ActivityLine[] = []
  let [size, leftOut] = [0, 0]
  try {
    for await (const line of readLogs(record, request, tools)) {
      const read = readLine(line, lines.at(-1)?.time)
      lines.push(read)
      size += read.text.length
      for (; size > MAX_SIZE && lines.length > 1; leftOut++) size -= lines.shift()?.text.length ?? 0
    }
  } catch (error) {
    tools.signal.throwIfAborted()
    return { lines: [], leftOut: 0, problem: mask.text((error as Error).message) }
  }
  // All at once, because a secret can have several lines.
  const texts = mask.text(lines.map(({ text }) => text.slice(-MAX_SIZE)).join('\n')).split('\n')
  const isSame = texts.length === lines.length
  const masked = lines.map((line, index) => ({ ...line, text: isSame ? (texts[index] ?? '') : mask.text(line.text) }))
  // The engine sorts each stream only.
  return { lines: masked.toSorted((one, other) => (one.time < other.time ? -1 : 1)), leftOut }
}

/** Splits the time that the engine puts before a line from its text. The rest of a very long line has the time before it. */
function readLine({ stream, text }: LogLine, before = new Date(0).toISOString()): ActivityLine {
  const end = text.indexOf(' ')
  const time = Date.parse(text.slice(0, end))
  if (Number.isNaN(time)) return { time: before, stream, text }
  return { time: new Date(time).toISOString(), stream, text: text.slice(end + 1) }
}

async function readEvents({ id }: StoredRecord, range: Range, { runtime, signal }: Tools): Promise<ActivityEvent[]> {
  const events: ActivityEvent[] = []
  for await (const change of runtime.followServers(id, range, { signal })) {
    events.push({ time: new Date(change.atMs).toISOString(), ...mapServerChange(change) } as ActivityEvent)
  }
  return events
}
