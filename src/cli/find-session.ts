import { loadFleetName } from '../config/load-fleet.ts'
import type { Fleet } from '../model/fleet.ts'
import { checkSessionName } from '../session/session-name.ts'
import type { Call } from './call.ts'

/** The session that is meant: the one named, else the fleet's own. */
export function sessionNameOf(fleet: Fleet, call: Call): string {
  return call.session === undefined ? fleet.name : checkSessionName(call.session)
}

/** The one that a command under `run` is in; else as with all other calls. */
export function findJoinedSession(call: Call): Promise<string> {
  const { TESTFLEET_SESSION: own } = call.host.environment
  return findSessionName(call.session === undefined && own ? { ...call, session: own } : call)
}

/** The same for calls that only need the name: the rest of the fleet file may be wrong. */
export async function findSessionName(call: Call): Promise<string> {
  return call.session === undefined ? loadFleetName(call.file, call.host) : checkSessionName(call.session)
}
