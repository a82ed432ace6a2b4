import type { StoredRecord } from '../sessions/store.ts'
import type { Tools } from '../tools.ts'
import { type AttachRequest, attachLogs } from './attach-logs.ts'
import { locateIn } from './locate.ts'
import { readNotes } from './notes.ts'
import { findCauses } from './rules.ts'

/** Writes the logs of servers whose start has failed, with what the note of the failure says. */
export async function attachFailedStart(attach: AttachRequest, record: StoredRecord, tools: Tools): Promise<void> {
  const { id, name, file } = record
  const [note] = await readNotes({ session: name, id }, tools.host)
  const causes = note === undefined ? [] : findCauses(note, await locateIn(file, tools.host))
  const sinceMs = tools.recorder.startedAtMs
  const { folder, problems } = await attachLogs(attach, { record, sinceMs, causes }, tools)
  for (const problem of problems) tools.onEvent({ kind: 'warned', message: `${folder}: ${problem}` })
}
