import type { Endpoint } from '../../model/running.ts'
import { readEndpoints } from '../../read-endpoints.ts'
import { type CallSettings, withSession } from '../call.ts'
import type { SessionOptions } from '../types/options.ts'

export function endpoints(
  client: CallSettings,
  server: string,
  options: SessionOptions,
): Promise<Readonly<Record<string, Endpoint>>> {
  return withSession(client, options, (session, tools) => readEndpoints(session, server, tools))
}
