import { dirname } from 'node:path'
import { defaultFleetName, loadFleet, loadFleetName } from '../config/load-fleet.ts'
import { locateFleetFile } from '../config/locate-fleet-file.ts'
import { isTextFile } from '../config/trust-fleet-file.ts'
import { currentHost } from '../current-host.ts'
import { resolveArchive } from '../failure/archive-path.ts'
import type { OnEvent } from '../model/events.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import { type OpenToolsRequest, openTools, sweepSessions } from '../open-tools.ts'
import { selectServers } from '../plan/reconcile.ts'
import { chooseSession, findSession, noSession, type SessionChoice } from '../sessions/resolve.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { wrong } from './check-options.ts'
import type { EventHub } from './event-hub.ts'
import type { CallOptions, SessionOptions, Source, TestfleetOptions } from './types/options.ts'

/** Loads the fleet of a call. Fails also with UNKNOWN_SERVER, before anything is touched. */
export async function loadSource(source: Source, servers: readonly string[], host: Host): Promise<Fleet> {
  if (source !== undefined && typeof source !== 'string' && typeof source !== 'object')
    throw wrong('a fleet is', 'the path of a fleet file, or an object', source)
  const fleet = await loadFleet(
    typeof source === 'object'
      ? { kind: 'object', value: source, folder: host.workingFolder }
      : { kind: 'file', named: source },
    host,
  )
  selectServers(fleet, servers)
  return fleet
}

/** Chooses the session that a call means. If nothing names one, the fleet file is located but not read. */
export function chooseCallSession({ session, file }: SessionOptions, host: Host): Promise<SessionChoice> {
  const locateFile = async (): Promise<string> => (await locateFleetFile(file, host)).realPath
  return chooseSession({ session, environment: host.environment, locateFile })
}

/** Chooses the session of a fleet. A fleet given as an object has no file, so its session has its name. */
export async function chooseSourceSession(
  source: Source,
  fleet: string,
  options: Pick<SessionOptions, 'session'>,
  host: Host,
): Promise<SessionChoice> {
  const isNamed = options.session !== undefined || Boolean(host.environment.TESTFLEET_SESSION)
  if (typeof source === 'object' && !isNamed) return { kind: 'named', name: fleet, by: 'the fleet' }
  return chooseCallSession({ session: options.session, file: typeof source === 'string' ? source : undefined }, host)
}

/** Returns the name that a missing session would have. A fleet file that is a program is not run for it. */
export async function nameSession(choice: SessionChoice, file: string | undefined, host: Host): Promise<string> {
  if (choice.kind === 'named') return choice.name
  const { path } = await locateFleetFile(file, host)
  const fallback = defaultFleetName(dirname(path))
  return isTextFile(path) ? loadFleetName(file, host).catch(() => fallback) : fallback
}

interface OpenOptions extends CallOptions {
  /** Path of the file to which the failure bundle is also written. */
  readonly bundle?: string | undefined
}

/** Settings of a client for one of its calls. */
export interface CallSettings extends Omit<TestfleetOptions, 'onEvent'> {
  /** Receives what the core reports about this call. */
  readonly onEvent: OnEvent
  /** Receives the function that masks the secrets of the call. */
  readonly onMask?: ((mask: (text: string) => string) => void) | undefined
  /** Receives the events of the client. */
  readonly hub: EventHub
}

export function hostOf(client: Pick<TestfleetOptions, 'folder'>): Host {
  return currentHost(client.folder)
}

/** What of a call decides which engine is used when none is named. */
export type EngineChoice = Pick<OpenToolsRequest, 'session' | 'isQuiet'>

/** Opens the engine of a client; the caller closes it. Nothing is sent to a container engine yet. */
export async function openCallTools(
  client: CallSettings,
  options: OpenOptions,
  host: Host,
  choice: EngineChoice = {},
): Promise<Tools> {
  const { bundle, signal = new AbortController().signal } = options
  const archive = bundle === undefined ? undefined : await resolveArchive(bundle, host)
  const tools = await openTools(
    {
      ...choice,
      engine: client.engine,
      isInsecureAllowed: client.insecureEngine === true,
      archive,
      onEvent: client.onEvent,
      signal,
    },
    host,
  )
  client.onMask?.((text) => tools.recorder.mask(text))
  return tools
}

/** Opens the engine while `work` runs. It receives the sessions that are left after dead ones were cleaned up. */
export async function withTools<Result>(
  client: CallSettings,
  options: OpenOptions,
  work: (tools: Tools, sessions: readonly StoredRecord[]) => Promise<Result>,
  { isSwept = true, ...choice }: EngineChoice & { readonly isSwept?: boolean } = {},
): Promise<Result> {
  const tools = await openCallTools(client, options, hostOf(client), choice)
  try {
    const { sessions } = isSwept ? await sweepSessions(tools) : { sessions: [] }
    const result = await work(tools, sessions)
    tools.recorder.thrown.throwIfAborted()
    return result
  } catch (error) {
    throw tools.recorder.addThrown(error)
  } finally {
    tools.engine.close()
  }
}

/** Work on a session, with the tools that its engine was opened with. */
export type SessionWork<Result> = (session: StoredRecord, tools: Tools) => Promise<Result>

/** Runs `work` on the session of a call, as `withTools` does. Fails with NO_SESSION if it does not exist. */
export async function withSession<Result>(
  client: CallSettings,
  options: SessionOptions,
  work: SessionWork<Result>,
): Promise<Result> {
  const choice = await chooseCallSession(options, hostOf(client))
  const find = async (tools: Tools, sessions: readonly StoredRecord[]): Promise<Result> =>
    work(await requireCallSession(choice, sessions, options, tools), tools)
  return withTools(client, options, find, { session: choice })
}

/** Streams items from the session of a call. Sessions are listed, not swept: dead ones are left to the next call. */
export async function* streamFromSession<Item>(
  client: CallSettings,
  options: SessionOptions,
  stream: (session: StoredRecord, tools: Tools) => AsyncIterable<Item>,
): AsyncGenerator<Item, void, undefined> {
  const host = hostOf(client)
  const choice = await chooseCallSession(options, host)
  const tools = await openCallTools(client, options, host, { session: choice })
  try {
    const { sessions } = await tools.sessions.list(tools)
    yield* stream(await requireCallSession(choice, sessions, options, tools), tools)
  } finally {
    tools.engine.close()
  }
}

async function requireCallSession(
  choice: SessionChoice,
  sessions: readonly StoredRecord[],
  { file }: SessionOptions,
  { host, onEvent }: Tools,
): Promise<StoredRecord> {
  const session = findSession(choice, sessions)
  if (session === undefined) throw noSession(choice, sessions, await nameSession(choice, file, host))
  onEvent({ kind: 'sessionChosen', session: session.name })
  return session
}
