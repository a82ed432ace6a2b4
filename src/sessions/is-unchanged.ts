import type { StoredRecord } from './store.ts'
import type { SessionTools } from './tools.ts'

/**
 * Whether a record is still as it was read. Call this after finding the record's processes dead: a call may have saved
 * its change after the record was read, and ended before its process was checked.
 */
export async function isUnchanged(
  { id, revision }: StoredRecord,
  { sessions, signal }: Pick<SessionTools, 'sessions' | 'signal'>,
): Promise<boolean> {
  return (await sessions.find(id, { signal }))?.revision === revision
}
