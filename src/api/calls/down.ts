import { down, removeServers } from '../../down.ts'
import { findSession } from '../../sessions/resolve.ts'
import { type CallSettings, chooseCallSession, hostOf, nameSession, withSession, withTools } from '../call.ts'
import { checkOptions } from '../check-options.ts'
import type { DownOptions, RemovedSession } from '../types/down.ts'

export async function takeDown(client: CallSettings, options: DownOptions): Promise<RemovedSession> {
  const host = hostOf(client)
  const choice = await chooseCallSession(options, host)
  return withTools(client, options, async (tools, sessions) => {
    const session = findSession(choice, sessions)
    if (session !== undefined) tools.onEvent({ kind: 'sessionChosen', session: session.name })
    if (session !== undefined) return down(session, { isForced: options.force === true }, tools)
    return { session: await nameSession(choice, options.file, host), servers: [], networks: 0, volumes: 0 }
  })
}

export function remove(
  client: CallSettings,
  servers: readonly string[],
  options: DownOptions,
): Promise<RemovedSession> {
  checkOptions({ servers })
  return withSession(client, options, (session, tools) =>
    removeServers(session, servers, { isForced: options.force === true }, tools),
  )
}
