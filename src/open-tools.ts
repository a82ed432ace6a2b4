import type { Engine } from './engine/engine.ts'
import { openEngine } from './engine/open-engine.ts'
import { reopenEngine } from './engine/reopen-engine.ts'
import { Recorder } from './failure/recorder.ts'
import { reportStops } from './failure/report-stops.ts'
import { stateFolder } from './files/state-folder.ts'
import { readKeptImages } from './images/kept-images.ts'
import type { EngineEndpoint } from './model/engine-endpoint.ts'
import type { OnEvent } from './model/events.ts'
import type { Host } from './model/host.ts'
import { say } from './model/surface.ts'
import { awaitPutBack } from './report/report.ts'
import { openContainers } from './runtime/containers/open-containers.ts'
import { withProcesses } from './runtime/processes/with-processes.ts'
import { withExternal } from './runtime/with-external.ts'
import { findOwnContainer } from './sessions/own-container.ts'
import { findSession, type SessionChoice } from './sessions/resolve.ts'
import { openStore, type Records } from './sessions/store.ts'
import { sweep } from './sessions/sweep.ts'
import type { SessionNotes } from './sessions/tools.ts'
import type { Tools } from './tools.ts'

export interface OpenToolsRequest {
  /** The engine's URL, `context:NAME` or `local`; undefined for TESTFLEET_ENGINE, or the one that the docker command would use. */
  readonly engine: string | undefined
  readonly isInsecureAllowed: boolean
  /** The session that the call means: without the name of an engine, it is used where it is. */
  readonly session?: SessionChoice | undefined
  /** Whether there is no warning when the local engine is used because no container engine answers. */
  readonly isQuiet?: boolean
  /** Where the bundle of a failure goes as one file too; an absolute path. */
  readonly archive: string | undefined
  readonly onEvent: OnEvent
  readonly signal: AbortSignal
}

/** What a call works with. Nothing is sent yet. `tools.engine.close()` ends it. */
export async function openTools(request: OpenToolsRequest, host: Host): Promise<Tools> {
  const { engine: named, isInsecureAllowed, session, isQuiet = false, archive, onEvent } = request
  // Before anything is touched: a wrong value is no surprise after a build.
  readKeptImages(host.environment)
  const onWarning = (message: string): void => onEvent({ kind: 'warned', message })
  const hasSession = session && ((local: Engine) => isSessionOf(local, session, request.signal))
  const options = { onWarning, ...(isInsecureAllowed && { isInsecureAllowed }), ...(hasSession && { hasSession }) }
  const engine = await openEngine(named, host, options)
  const { insteadOf, url } = engine.location
  if (insteadOf !== undefined && !isQuiet)
    onWarning(
      `no container engine answers at ${insteadOf}: servers run on this machine without one (${url}). Name an engine with ${say('engine')} or TESTFLEET_ENGINE.`,
    )
  return equip(engine, host, new Recorder({ archive }), onEvent, request.signal)
}

async function isSessionOf(engine: Engine, choice: SessionChoice, signal: AbortSignal): Promise<boolean> {
  const { sessions } = await openStore(openContainers(engine)).list({ signal })
  return findSession(choice, sessions) !== undefined
}

/** What a process works with that another one has started, with the engine that it uses. Nothing is sent yet. */
export async function openToolsAt(
  endpoint: EngineEndpoint,
  host: Host,
  onEvent: OnEvent,
  signal: AbortSignal,
): Promise<Tools> {
  const engine = await reopenEngine(endpoint, 'lender')
  return equip(engine, host, new Recorder({ archive: undefined }), onEvent, signal)
}

/** The same engine for another call, with its own events, signal and recorder. */
export function reopenTools({ engine, host, recorder }: Tools, onEvent: OnEvent, signal: AbortSignal): Tools {
  return equip(engine, host, recorder.another(), onEvent, signal)
}

function equip(engine: Engine, host: Host, recorder: Recorder, onEvent: OnEvent, outer: AbortSignal): Tools {
  const signal = AbortSignal.any([outer, recorder.thrown])
  const tell = recorder.listen(onEvent)
  const stops = reportStops(tell)
  const runtime = withExternal(withProcesses(openContainers(engine, stops), host, stops))
  const sessions = openStore(runtime)
  const notes: SessionNotes = {
    stateFolder: stateFolder(host),
    noteEnd: async (record, servers) => (await import('./why/note-end.ts')).noteEnd(record, servers, { runtime, host }),
  }
  return { host, engine, runtime, sessions, recorder, onEvent: tell, signal, cancelSignal: signal, notes }
}

/** Cleans up what dead calls have left, and returns the sessions that there are. Every call begins with it. */
export async function sweepSessions(tools: Tools): Promise<Records> {
  tools.onEvent({ kind: 'phaseBegan', phase: 'sweep' })
  await findOwnContainer(tools.runtime, { signal: tools.signal })
  return sweep(tools, awaitPutBack(tools))
}
