import { hostname } from 'node:os'
import { toHostsEntries } from '../../names/names.ts'
import { readNames } from '../../report/names.ts'
import { type CallSettings, withSession } from '../call.ts'
import type { SessionHosts } from '../types/environment.ts'
import type { SessionOptions } from '../types/options.ts'

export function hosts(client: CallSettings, options: SessionOptions): Promise<SessionHosts> {
  return withSession(client, options, async (record, tools) => {
    const servers = await readNames(record, tools)
    const described = servers.map(({ server, names, address, endpoints }) => [
      server,
      { names, address: address ?? null, endpoints },
    ])
    const entries = toHostsEntries(servers, hostname())
    return { session: record.name, hosts: entries, servers: Object.fromEntries(described) }
  })
}
