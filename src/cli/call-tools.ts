import { dirname } from 'node:path'
import { isTextFile, loadFleet, loadFleetName, locateFleetFile } from '../config/load-fleet.ts'
import { defaultFleetName } from '../config/resolve-fleet.ts'
import { resolveArchive } from '../failure/archive-path.ts'
import type { Fleet } from '../model/fleet.ts'
import { openTools, sweepSessions } from '../open-tools.ts'
import { selectServers } from '../plan/select-servers.ts'
import { chooseSession, findSession, noSession, type SessionChoice } from '../sessions/resolve.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { type Call, flag, textOption } from './call.ts'

/** Loads the fleet, of which these servers are asked for. Fails also with UNKNOWN_SERVER, before anything is touched. */
export async function loadCallFleet(call: Call, servers: readonly string[] = call.servers): Promise<Fleet> {
  const fleet = await loadFleet({ kind: 'file', named: call.file }, call.host)
  selectServers(fleet, servers)
  return fleet
}

/** The session that the call means. Where nothing names one, the fleet file is located, and not read. */
export function chooseCallSession({ session, file, host }: Call): Promise<SessionChoice> {
  const locateFile = async (): Promise<string> => (await locateFleetFile(file, host)).realPath
  return chooseSession({ session, environment: host.environment, locateFile })
}

/** Opens the engine for the time of the work, which gets the sessions that there are once what dead calls left is gone. */
export async function withTools<Result>(
  call: Call,
  work: (tools: Tools, sessions: readonly StoredRecord[]) => Promise<Result>,
  { isSwept = true }: { readonly isSwept?: boolean } = {},
): Promise<Result> {
  const bundle = textOption(call, 'bundle')
  const archive = bundle === undefined ? undefined : await resolveArchive(bundle, call.host)
  const isInsecureAllowed = flag(call, 'insecure-engine')
  const { onEvent } = call.output
  const tools = await openTools(
    { engine: call.engine, isInsecureAllowed, archive, onEvent, signal: call.signal },
    call.host,
  )
  try {
    const { sessions } = isSwept ? await sweepSessions(tools) : { sessions: [] }
    return await work(tools, sessions)
  } finally {
    tools.engine.close()
  }
}

/** As `withTools`, for work on the session that the call means. Fails with NO_SESSION when it is not there. */
export async function withSession<Result>(
  call: Call,
  work: (session: StoredRecord, tools: Tools) => Promise<Result>,
): Promise<Result> {
  const choice = await chooseCallSession(call)
  return withTools(call, async (tools, sessions) => {
    const session = findSession(choice, sessions)
    if (session === undefined) throw noSession(choice, sessions, await nameSession(choice, call))
    return work(session, tools)
  })
}

/** What a session that is not there would be called. A fleet file that is a program is not run for it. */
export async function nameSession(choice: SessionChoice, { file, host }: Call): Promise<string> {
  if (choice.kind === 'named') return choice.name
  const fallback = defaultFleetName(dirname(choice.file))
  return isTextFile(choice.file) ? loadFleetName(file, host).catch(() => fallback) : fallback
}
