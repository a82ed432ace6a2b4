import { dirname } from 'node:path'
import type { EventHub } from '../api/event-hub.ts'
import { inOperation } from '../api/operation.ts'
import { Testfleet } from '../api/testfleet.ts'
import type { SessionOptions } from '../api/types/options.ts'
import { defaultFleetName, loadFleet, loadFleetName, locateFleetFile } from '../config/load-fleet.ts'
import { isTextFile } from '../config/trust-fleet-file.ts'
import { resolveArchive } from '../failure/archive-path.ts'
import { readDurationMs } from '../formats/duration.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import { openTools, sweepSessions } from '../open-tools.ts'
import { selectServers } from '../plan/reconcile.ts'
import { chooseSession, findSession, noSession, type SessionChoice } from '../sessions/resolve.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import type { Output, OutputSettings } from './output.ts'

/** One call of the command: parsed, and with all that it needs from the process. */
export interface Call extends OutputSettings {
  readonly name: string
  readonly file: string | undefined
  readonly session: string | undefined
  readonly engine: string | undefined
  /** File that gets each event. */
  readonly events: string | undefined
  /** The command's own options. */
  readonly options: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>
  /** Names of servers, before `--`. */
  readonly servers: readonly string[]
  /** The words after `--`. */
  readonly command: readonly string[]
  readonly host: Host
  readonly output: Output
  /** Where the events of this call go. */
  readonly hub: EventHub
  /** Fires on SIGINT, SIGTERM and SIGHUP. */
  readonly signal: AbortSignal
  /** Signals that the caller of this program ignores. */
  readonly ignored: readonly NodeJS.Signals[]
}

/** The client that carries out a call. */
export function clientOf(call: Call): Testfleet {
  const { engine, hub } = call
  const insecureEngine = flag(call, 'insecure-engine')
  return new Testfleet({ engine, insecureEngine, onEvent: (event) => hub.emit(event) })
}

export function textOption(call: Pick<Call, 'options'>, name: string): string | undefined {
  const value = call.options[name]
  return typeof value === 'string' ? value : undefined
}

export function flag(call: Call, name: string): boolean {
  return call.options[name] === true
}

/** The value of an option; undefined when it is not given. Fails with USAGE when `read` makes nothing of its text. */
function readOption<Value>(
  call: Call,
  name: string,
  takes: string,
  read: (text: string) => Value | undefined,
): Value | undefined {
  const text = textOption(call, name)
  if (text === undefined) return undefined
  const value = read(text)
  if (value !== undefined) return value
  throw new TestfleetError('USAGE', `--${name} takes ${takes} not ${JSON.stringify(text)}`)
}

/** A duration such as `90s`, in milliseconds. Fails with USAGE. */
export function durationOption(call: Call, name: string): number | undefined {
  return readOption(call, name, 'a duration such as 90s, 30m or 2h;', readDurationMs)
}

/** How long a bring-up may take, in milliseconds: 0 is no limit. Fails with USAGE. */
export function timeoutOption(call: Call): number | undefined {
  return durationOption(call, 'timeout')
}

/** Which session a call is about, for the client. */
export function sessionOptions({ session, file, signal }: Call): SessionOptions {
  return { session, file, signal }
}

/** A whole number. Fails with USAGE. */
export function numberOption(call: Call, name: string): number | undefined {
  return readOption(call, name, 'a number,', (text) => (/^\d{1,9}$/.test(text) ? Number(text) : undefined))
}

/** One of a few words. Fails with USAGE. */
export function choice<Word extends string>(call: Call, name: string, words: readonly Word[]): Word | undefined {
  return readOption(call, name, `${words.join(', ')};`, (text) => words.find((word) => word === text))
}

export function bindOption(call: Call): 'free' | 'fixed' {
  return choice(call, 'bind', ['free', 'fixed']) ?? 'free'
}

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
  const { name, hub, engine, signal } = call
  return inOperation({ name, hub, signal }, async (onEvent) => {
    const tools = await openTools({ engine, isInsecureAllowed, archive, onEvent, signal }, call.host)
    try {
      const { sessions } = isSwept ? await sweepSessions(tools) : { sessions: [] }
      return await work(tools, sessions)
    } finally {
      tools.engine.close()
    }
  })
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
    tools.onEvent({ kind: 'sessionChosen', session: session.name })
    return work(session, tools)
  })
}

/** What a session that is not there would be called. A fleet file that is a program is not run for it. */
export async function nameSession(choice: SessionChoice, { file, host }: Call): Promise<string> {
  if (choice.kind === 'named') return choice.name
  const { path } = await locateFleetFile(file, host)
  const fallback = defaultFleetName(dirname(path))
  return isTextFile(path) ? loadFleetName(file, host).catch(() => fallback) : fallback
}
