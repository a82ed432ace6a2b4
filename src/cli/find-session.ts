import { locateFleetFile } from '../config/locate-fleet-file.ts'
import { chooseSession, type SessionChoice } from '../sessions/resolve.ts'
import type { Call } from './call.ts'

/** The session that the call means. Where nothing names one, the fleet file is located, and not read. */
export function chooseCallSession({ session, file, host }: Call): Promise<SessionChoice> {
  const locateFile = async (): Promise<string> => (await locateFleetFile(file, host)).realPath
  return chooseSession({ session, environment: host.environment, locateFile })
}
