import { readFile } from 'node:fs/promises'
import { loadFleet, locateFleetFile } from './config/load-fleet.ts'
import { currentHost } from './current-host.ts'
import { resolveArchive } from './failure/archive-path.ts'
import { joinSession } from './join.ts'
import type { OnEvent } from './model/events.ts'
import type { FleetFile } from './model/fleet-file.ts'
import { openTools, sweepSessions } from './open-tools.ts'
import { selectServers } from './plan/reconcile.ts'
import { readEnvironment } from './report/environment.ts'
import { RunningFleet } from './running-fleet.ts'
import { checkSessionName, chooseSession, requireSession } from './sessions/resolve.ts'
import type { Tools } from './tools.ts'
import type { UpRequest } from './up/plan-up.ts'
import { BRING_UP_TIMEOUT_MS, checkTimeout, type Membership, startSession, withinTime } from './up/up.ts'

export interface StartOptions {
  /** The servers to start, with all that they depend on. Default: all. */
  readonly servers?: readonly string[]
  /** Name of the new session. It must not exist yet. Default: the fleet's, with a random end. */
  readonly session?: string
  /** The engine's URL, or `context:NAME`. Default: the one that the docker command would use. */
  readonly engine?: string
  /** Uses an engine of another machine without TLS, which is refused otherwise: whoever reaches it is root there. */
  readonly insecureEngine?: boolean
  /** `fixed` gives every port the same number on this machine. Default: `free`. */
  readonly bind?: 'free' | 'fixed'
  /** How long the start may take, builds and pulls included; TIMED_OUT after that. Default: half an hour; Infinity: no limit. */
  readonly timeoutMs?: number
  /** Ends the start; what was started is gone when the promise has rejected. */
  readonly signal?: AbortSignal
  /**
   * Told what happens while it happens. If it throws, the start is taken back and rejects with what it threw; `down` is
   * finished and then rejects with it.
   */
  readonly onEvent?: OnEvent
  /** When the start fails, also write its failure bundle, which is a folder, as one file (`.tar.gz`) here. */
  readonly bundle?: string
  /** Where relative paths start: of a fleet given as an object, of `source`, and of `bundle`. Default: the working folder. */
  readonly folder?: string
}

/**
 * Builds, starts, and resolves once every server is ready.
 *
 * @param source The fleet file's path, or the fleet as an object. Default: the nearest fleet file, here or above.
 * @throws {TestfleetError} Any code of the catalogue; what had been started is gone by then, and `bundle` names the
 *   folder with all that is known of it.
 * @example
 * await using fleet = await startFleet('./testfleet.yaml', { servers: ['apache2'] })
 * const { host, port } = fleet.server('apache2').endpoint(80)
 */
export async function startFleet(source?: string | FleetFile, options: StartOptions = {}): Promise<RunningFleet> {
  const host = currentHost(options.folder)
  const fleet = await loadFleet(
    typeof source === 'object'
      ? { kind: 'object', value: source, folder: host.workingFolder }
      : { kind: 'file', named: source },
    host,
  )
  // A call that is wrong touches nothing.
  selectServers(fleet, options.servers ?? [])
  if (options.session !== undefined) checkSessionName(options.session)
  const timeoutMs = checkTimeout(options.timeoutMs ?? BRING_UP_TIMEOUT_MS)
  const archive = options.bundle === undefined ? undefined : await resolveArchive(options.bundle, host)
  const tools = await openTools({ ...engineOptions(options), archive }, host)
  try {
    const { sessions } = await sweepSessions(tools)
    const request: UpRequest = {
      fleet,
      servers: options.servers ?? [],
      session: { kind: 'new', name: options.session },
      bind: options.bind ?? 'free',
      keepOnFailure: false,
    }
    const held = await withinTime(timeoutMs, tools, (limited) => startSession(request, sessions, limited))
    return await handOver(held, tools)
  } catch (error) {
    tools.engine.close()
    throw tools.recorder.addThrown(error)
  }
}

export type JoinOptions = Pick<StartOptions, 'engine' | 'insecureEngine' | 'signal' | 'onEvent'>

/**
 * Joins a session that runs, of this program or of any other: it stays until the last one that joined it has left, too.
 *
 * @param session Its name. Default: that in TESTFLEET_SESSION, which a command under `testfleet run` has; else the
 *   session of this checkout, which `testfleet up` made from the fleet file that is here or above.
 * @throws {TestfleetError} NO_SESSION, USAGE, FLEET_FILE_NOT_FOUND
 * @example
 * await using fleet = await joinFleet()
 * const { host, port } = fleet.server('apache2').endpoint(80)
 */
export async function joinFleet(session?: string, options: JoinOptions = {}): Promise<RunningFleet> {
  const host = currentHost()
  const locateFile = async (): Promise<string> => (await locateFleetFile(undefined, host)).realPath
  const choice = await chooseSession({ session, environment: host.environment, locateFile })
  const tools = await openTools({ ...engineOptions(options), archive: undefined }, host)
  try {
    const { sessions } = await tools.sessions.list(tools)
    return await handOver(await joinSession(requireSession(choice, sessions), tools), tools)
  } catch (error) {
    tools.engine.close()
    throw tools.recorder.addThrown(error)
  }
}

function engineOptions({ engine, insecureEngine, onEvent, signal }: JoinOptions) {
  return {
    engine,
    isInsecureAllowed: insecureEngine === true,
    onEvent: onEvent ?? (() => {}),
    signal: signal ?? new AbortController().signal,
  }
}

async function readAuthority({
  TESTFLEET_CA_FILE: path,
}: Readonly<Record<string, string>>): Promise<string | undefined> {
  return path === undefined ? undefined : readFile(path, 'utf8')
}

/** A fleet that is up belongs to its caller; until then it is ours to take down. */
async function handOver(held: Membership, tools: Tools): Promise<RunningFleet> {
  // The start's own signal has done its work: a fleet is taken down even when that signal has fired since.
  const never = new AbortController().signal
  const later = { ...tools, signal: never, cancelSignal: never }
  const leave = async (): Promise<void> => void (await held.end(later))
  try {
    tools.recorder.thrown.throwIfAborted()
    const environment = { ...(await readEnvironment(held.record, held.report, tools)), TESTFLEET_KEEPER: held.socket }
    return new RunningFleet(held.record, held.report, environment, await readAuthority(environment), later, leave)
  } catch (error) {
    await leave()
    throw error
  }
}
