import { down, removeServers } from '../../down.ts'
import { noteLater } from '../../model/note-later.ts'
import { findSession } from '../../sessions/resolve.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import { mayBeHeld } from '../../standby/take.ts'
import type { Tools } from '../../tools.ts'
import { type CallSettings, chooseCallSession, hostOf, nameSession, withSession, withTools } from '../call.ts'
import { checkOptions } from '../check-options.ts'
import { describeSource } from '../standby-source.ts'
import type { DownOptions, RemovedSession } from '../types/down.ts'

export async function takeDown(client: CallSettings, options: DownOptions): Promise<RemovedSession> {
  const host = hostOf(client)
  const choice = await chooseCallSession(options, host)
  const take = async (tools: Tools, sessions: readonly StoredRecord[]): Promise<RemovedSession> => {
    const session = findSession(choice, sessions)
    const standby = choice.kind === 'named' ? {} : await removeCopies(options, tools)
    if (session !== undefined) tools.onEvent({ kind: 'sessionChosen', session: session.name })
    if (session !== undefined)
      return { ...(await down(session, { isForced: options.force === true }, tools)), ...standby }
    const name = await nameSession(choice, options.file, host)
    return { session: name, servers: [], networks: 0, volumes: 0, ...standby }
  }
  return withTools(client, options, take, { session: choice, isQuiet: true })
}

/** Ends the process that holds copies of the fleet, if there is one. */
async function removeCopies(
  { file }: DownOptions,
  { host, signal, onEvent }: Tools,
): Promise<Pick<RemovedSession, 'standby'>> {
  const source = await describeSource(file, host)
  if (source === undefined || !mayBeHeld(source, host)) return {}
  const { stopHolding } = await import('../../standby/control.ts')
  const stopped = await noteLater('removing the standby copies', onEvent, stopHolding(source, host, signal))
  return stopped === undefined ? {} : { standby: stopped.ready }
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
