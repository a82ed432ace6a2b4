import { loadFleetName } from '../config/read-fleet.ts'
import { checkSessionName } from '../session/session-name.ts'
import type { Call } from './call.ts'

/** The session that is meant: the one named, else the fleet's own. The rest of the fleet file may be wrong. */
export async function findSessionName(call: Call): Promise<string> {
  return call.session === undefined ? loadFleetName(call.file, call.host) : checkSessionName(call.session)
}
