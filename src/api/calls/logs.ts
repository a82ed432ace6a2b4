import { readLogs } from '../../logs.ts'
import { type CallSettings, streamFromSession } from '../call.ts'
import type { LogLine, LogsOptions } from '../types/logs.ts'

export function logs(client: CallSettings, options: LogsOptions): AsyncGenerator<LogLine, void, undefined> {
  const { servers = [], follow = false, tail, since, timestamps = false } = options
  const request = { servers, follow, tail, sinceMs: since?.getTime(), timestamps }
  return streamFromSession(client, options, (session, tools) => readLogs(session, request, tools))
}
