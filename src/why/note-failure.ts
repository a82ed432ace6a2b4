import { resolve } from 'node:path'
import { isFailure, type TestfleetError } from '../model/failures.ts'
import type { RunNote, SeenServer } from '../model/run-note.ts'
import { observeServers } from '../report/report.ts'
import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { addLogs, lookAtServers } from './look.ts'
import { saveNote } from './notes.ts'

/** The failed call is over when this time has passed, whatever the engine does. */
const DEADLINE_MS = 5000

/** A session of the failed call. A new one may not exist yet. */
export type FailedSession = Pick<StoredRecord, 'id' | 'name' | 'fleet' | 'file'> &
  Partial<Pick<StoredRecord, 'servers' | 'change' | 'isStandby'>>

/**
 * Keeps a note of why a start failed, before anything is removed. The failure must be masked already. Never fails,
 * because the failure is what matters. A standby copy that fails is nobody's run: it must not push out notes of runs.
 */
export async function noteFailure(error: unknown, session: FailedSession, tools: Tools): Promise<void> {
  if (!isFailure(error) || tools.cancelSignal.aborted || session.isStandby === true) return
  const signal = AbortSignal.any([tools.cancelSignal, AbortSignal.timeout(DEADLINE_MS)])
  const { id, name, fleet, file } = session
  const failure = describeFailure(error, session, tools)
  const servers = await look(failure, session, tools, signal).catch(() => [])
  const note: RunNote = { version: 1, session: name, id, fleet, file, endedAtMs: Date.now(), failure, servers }
  await saveNote(note, tools.host).catch(() => {})
}

async function look(
  failure: NonNullable<RunNote['failure']>,
  { id, servers = {}, change }: FailedSession,
  tools: Tools,
  signal: AbortSignal,
): Promise<SeenServer[]> {
  if (change === undefined && Object.keys(servers).length === 0) return []
  const observed = [...(await observeServers({ id, servers, change }, tools.runtime, { signal })).values()]
  const seen = await lookAtServers(observed, tools, { signal })
  const isUnready = (one: SeenServer): boolean =>
    one.server === failure.server && /^(?:READY_TIMEOUT|LOGIN_REFUSED)$/.test(failure.code)
  const known = seen.map((one) => (isUnready(one) ? { ...one, isReady: false } : one))
  return addLogs({ failure, servers: known }, observed, tools, signal)
}

function describeFailure(
  error: TestfleetError,
  { file }: FailedSession,
  { host, recorder }: Tools,
): NonNullable<RunNote['failure']> {
  const { code, message, server, hint, at, output } = error
  // A later call may come from another folder. A fleet given as an object has no file.
  const isOfFile = at !== undefined && file !== undefined
  const place = isOfFile ? { ...at, file: resolve(host.workingFolder, at.file) } : undefined
  return {
    code,
    message: recorder.mask(message),
    ...(server !== undefined && { server }),
    ...(hint !== undefined && { hint: recorder.mask(hint) }),
    ...(place !== undefined && { at: place }),
    output: output.map((line) => recorder.mask(line)),
  }
}
