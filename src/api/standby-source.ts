import { locateFleetFile } from '../config/locate-fleet-file.ts'
import { isTextFile } from '../config/trust-fleet-file.ts'
import type { OnEvent } from '../model/events.ts'
import { isFailure } from '../model/failures.ts'
import type { Host } from '../model/host.ts'
import type { SessionReport } from '../model/running.ts'
import { say } from '../model/surface.ts'
import type { StandbySource } from '../standby/protocol.ts'
import { beginTaking, mayBeHeld, NotTaken, type Taking } from '../standby/take.ts'
import type { CallSettings } from './call.ts'
import type { Source } from './types/options.ts'
import type { StartOptions } from './types/start.ts'

/** More copies than that are not tried: the fleet is started. */
const MOST_TRIES = 3

export interface StandbyCall {
  readonly client: CallSettings
  readonly source: Source
  readonly options: StartOptions
  readonly host: Host
  readonly signal: AbortSignal
}

/** Does work on a standby copy. Undefined when there is none, or the work fails with `NotTaken` for each one. */
export async function tryCopies<Result>(
  { client, source, options, host, signal }: StandbyCall,
  work: (taking: Taking) => Promise<Result>,
): Promise<Result | undefined> {
  const { onEvent, engine, insecureEngine } = client
  const found = await findStandby(source, options, host, onEvent)
  if (found === undefined) return undefined
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const taking = await beginTaking({ source: found, engine, insecureEngine, signal }, host, onEvent)
    if (taking === undefined) return undefined
    try {
      return await work(taking)
    } catch (error) {
      if (!(error instanceof NotTaken)) throw error
      onEvent({ kind: 'warned', message: error.message })
      if (!error.isOnlyThis) return undefined
    }
  }
  return undefined
}

/** Reports the servers of a copy as those of a start. */
export function tellTaken({ session, servers }: SessionReport, elapsedMs: number, onEvent: OnEvent): void {
  onEvent({ kind: 'sessionChosen', session })
  for (const [server, { state }] of Object.entries(servers))
    onEvent({ kind: 'ready', server, elapsedMs, isKept: false, isCompleted: state === 'completed' })
}

/**
 * Returns the fleet of a call if a lender may hold its copies and the call can use one. A call that cannot says why.
 * Undefined also for a wrong call, which is explained by the start.
 */
async function findStandby(
  source: Source,
  { servers = [], bind, session, standby }: Pick<StartOptions, 'servers' | 'bind' | 'session' | 'standby'>,
  host: Host,
  onEvent: OnEvent,
): Promise<StandbySource | undefined> {
  if (standby === false) return undefined
  const found = await describeSource(source, host)
  if (found === undefined || !mayBeHeld(found, host)) return undefined
  const option =
    servers.length > 0 ? 'servers' : bind === 'fixed' ? 'bindFixed' : session === undefined ? undefined : 'session'
  if (option === undefined) return found
  onEvent({ kind: 'warned', message: `the fleet is started: no standby copy can be used with ${say(option)}` })
  return undefined
}

/** Undefined for a fleet file that is a program: what it depends on is not known. */
export async function describeSource(source: Source, host: Host): Promise<StandbySource | undefined> {
  if (typeof source === 'object') return { kind: 'object', value: source, folder: host.workingFolder }
  try {
    const { path, realPath } = await locateFleetFile(source, host)
    return isTextFile(path) ? { kind: 'file', path, realPath } : undefined
  } catch (error) {
    if (isFailure(error)) return undefined
    throw error
  }
}
