import { dirname } from 'node:path'
import { isTextFile, loadFleetName } from '../config/load-fleet.ts'
import { locateFleetFile } from '../config/locate-fleet-file.ts'
import { defaultFleetName } from '../config/resolve-fleet.ts'
import { chooseSession, type SessionChoice } from '../sessions/resolve.ts'
import type { Call } from './call.ts'

/** The session that the call means. Where nothing names one, the fleet file is located, and not read. */
export function chooseCallSession({ session, file, host }: Call): Promise<SessionChoice> {
  const locateFile = async (): Promise<string> => (await locateFleetFile(file, host)).realPath
  return chooseSession({ session, environment: host.environment, locateFile })
}

/** What a session that is not there would be called. A fleet file that is a program is not run for it. */
export async function nameSession(choice: SessionChoice, { file, host }: Call): Promise<string> {
  if (choice.kind === 'named') return choice.name
  const fallback = defaultFleetName(dirname(choice.file))
  return isTextFile(choice.file) ? loadFleetName(file, host).catch(() => fallback) : fallback
}
