import { Recorder } from '../failure/recorder.ts'
import type { ContainerSummary } from '../model/container.ts'
import { matchServers } from '../report/report.ts'
import type { StoredRecord } from '../sessions/store.ts'
import { addLogs, type LookTools, lookAtServers } from './look.ts'
import { readNotes, saveNote } from './notes.ts'
import { findCauses } from './rules.ts'

/** The end of a session waits no longer for a note of it. */
const DEADLINE_MS = 5000

/**
 * Keeps a note of the servers of a session that do not run although they should, before their containers are removed.
 * Does nothing when a note says so already.
 */
export async function noteEnd(
  record: StoredRecord,
  containers: readonly ContainerSummary[],
  { runtime, host }: Pick<LookTools, 'runtime' | 'host'>,
): Promise<void> {
  const signal = AbortSignal.timeout(DEADLINE_MS)
  const tools = { runtime, host, recorder: new Recorder() }
  const { id, name, fleet, file } = record
  const observed = [...matchServers(record, containers).values()]
  const ended = observed.filter(({ container }) => container.state === 'exited')
  const [before] = await readNotes({ session: name, id }, host)
  const isKnown = (container: string): boolean =>
    before?.servers.some((one) => one.container === container && one.state === 'exited') === true
  if (ended.every(({ container }) => isKnown(container.id))) return
  const servers = await lookAtServers(ended, tools, { signal })
  if (findCauses({ servers }, () => undefined).length === 0) return
  const known = await addLogs({ servers }, observed, tools, signal)
  await saveNote({ version: 1, session: name, id, fleet, file, endedAtMs: Date.now(), servers: known }, host)
}
