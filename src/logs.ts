import { LineReader } from './engine/output-text.ts'
import type { OutputStream } from './model/container.ts'
import { TestfleetError } from './model/failures.ts'
import { unknownServer } from './model/unknown-server.ts'
import { gone, refuseExternal } from './report/refusals.ts'
import { type ObservedServer, observeServers } from './report/report.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'

export interface LogsRequest {
  /** None is all. */
  readonly servers: readonly string[]
  readonly follow: boolean
  readonly tail: number | undefined
  /** Only lines that were written since then, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined
  readonly timestamps: boolean
}

export interface LogLine {
  readonly server: string
  readonly stream: OutputStream
  readonly text: string
}

/** A longer line is handed on as several. */
const MAX_LINE_LENGTH = 1024 * 1024

/**
 * Returns every line of the servers' logs; with `follow`, until all of them have ended or the signal fires. A reader that
 * is slow slows down what is read.
 */
export async function* readLogs(
  record: StoredRecord,
  request: LogsRequest,
  tools: Tools,
): AsyncGenerator<LogLine, void, undefined> {
  checkRequest(request)
  const observed = await observeServers(record, tools.runtime, tools)
  const names = request.servers.length === 0 ? [...observed.keys()].sort() : request.servers
  const chosen = names.map((name) => {
    const server = observed.get(name)
    if (server === undefined && Object.hasOwn(record.servers, name)) throw gone(name)
    if (server === undefined) throw unknownServer(name, observed.keys())
    if (request.servers.length > 0) refuseExternal(name, server.spec, 'logs')
    return server
  })
  const stop = new AbortController()
  const signal = AbortSignal.any([tools.signal, stop.signal])
  const readers = chosen.map((server) => readServer(server, request, { ...tools, signal }))
  try {
    if (request.follow) yield* merge(readers)
    else for (const reader of readers) yield* reader
  } finally {
    // Nobody reads on: the streams that are open are closed.
    stop.abort()
  }
}

/** The engine reports an invalid time in words of its own, and takes an invalid number of lines for all of them. */
function checkRequest({ tail, sinceMs }: LogsRequest): void {
  if (sinceMs !== undefined && !Number.isFinite(sinceMs))
    throw new TestfleetError('USAGE', '`since` takes a valid Date')
  if (tail === undefined || (Number.isSafeInteger(tail) && tail >= 0)) return
  throw new TestfleetError('USAGE', `\`tail\` takes a number of lines, not ${tail}`)
}

/** The items of several sources, in the order in which they come. */
async function* merge<Item>(sources: readonly AsyncGenerator<Item>[]): AsyncGenerator<Item, void, undefined> {
  const step = async (source: AsyncGenerator<Item>) => ({ source, result: await source.next() })
  const pending = new Map(sources.map((source) => [source, step(source)]))
  try {
    while (pending.size > 0) {
      const { source, result } = await Promise.race(pending.values())
      if (result.done === true) pending.delete(source)
      else {
        pending.set(source, step(source))
        yield result.value
      }
    }
  } finally {
    // One that fails while nobody asks it any more must not end the process.
    for (const one of pending.values()) one.catch(() => {})
  }
}

async function* readServer(
  { name, container }: ObservedServer,
  request: LogsRequest,
  tools: Tools,
): AsyncGenerator<LogLine, void, undefined> {
  const limit = { length: MAX_LINE_LENGTH, keeps: 'all' } as const
  const streams = { stdout: new LineReader(limit), stderr: new LineReader(limit) }
  const { follow, tail, sinceMs, timestamps } = request
  const logRequest = { follow, timestamps, sinceMs, ...(tail === undefined ? {} : { tail }) }
  for await (const { stream, bytes } of tools.runtime.readLogs(container.id, logRequest, { signal: tools.signal })) {
    for (const text of streams[stream].read(bytes)) yield { server: name, stream, text }
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const text = streams[stream].rest
    if (text !== '') yield { server: name, stream, text }
  }
}
