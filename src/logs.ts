import { LineReader } from './engine/output-text.ts'
import type { OutputStream } from './model/container.ts'
import { unknownServer } from './plan/reconcile.ts'
import { type ObservedServer, observeServers } from './report/report.ts'
import type { StoredRecord } from './sessions/store.ts'
import type { Tools } from './tools.ts'

export interface LogsRequest {
  /** None is all. */
  readonly servers: readonly string[]
  readonly follow: boolean
  readonly tail: number | undefined
  readonly timestamps: boolean
}

export interface LogLine {
  readonly server: string
  readonly stream: OutputStream
  readonly text: string
}

/** A longer line is handed on as several. */
const MAX_LINE_LENGTH = 1024 * 1024

/** Hands on every line of the servers' logs; with `follow`, until all of them have ended or the signal fires. */
export async function followLogs(
  record: StoredRecord,
  request: LogsRequest,
  tools: Tools,
  onLine: (line: LogLine) => void,
): Promise<void> {
  const observed = await observeServers(record, tools.runtime, tools)
  const names = request.servers.length === 0 ? [...observed.keys()].sort() : request.servers
  const chosen = names.map((name) => {
    const server = observed.get(name)
    if (server === undefined) throw unknownServer(name, observed.keys())
    return server
  })
  if (request.follow) {
    await Promise.all(chosen.map((server) => readServer(server, request, tools, onLine)))
    return
  }
  for (const server of chosen) await readServer(server, request, tools, onLine)
}

async function readServer(
  { name, container }: ObservedServer,
  request: LogsRequest,
  tools: Tools,
  onLine: (line: LogLine) => void,
): Promise<void> {
  const limit = { length: MAX_LINE_LENGTH, keeps: 'all' } as const
  const streams = { stdout: new LineReader(limit), stderr: new LineReader(limit) }
  const { follow, tail, timestamps } = request
  const logRequest = { follow, timestamps, ...(tail === undefined ? {} : { tail }) }
  for await (const { stream, bytes } of tools.runtime.readLogs(container.id, logRequest, { signal: tools.signal })) {
    for (const text of streams[stream].read(bytes)) onLine({ server: name, stream, text })
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    const text = streams[stream].rest
    if (text !== '') onLine({ server: name, stream, text })
  }
}
