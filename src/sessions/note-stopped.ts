import type { ContainerSummary } from '../model/container.ts'
import type { StoredRecord } from './store.ts'
import type { SessionTools } from './tools.ts'

/** Keeps a note only when a container has ended that should run, so that the end of other sessions takes no longer. */
export async function noteStopped(record: StoredRecord, found: readonly ContainerSummary[], { notes }: SessionTools) {
  if (notes === undefined || record.parent !== undefined || record.isStandby === true) return
  const mayEnd = Object.values(record.servers).filter(
    ({ ready, isStopped }) => isStopped === true || ready.some(({ kind }) => kind === 'exit'),
  )
  const hasEnded = ({ id, state }: ContainerSummary): boolean =>
    state === 'exited' && !mayEnd.some(({ container }) => container === id)
  // The session ends whether or not there is a note.
  if (found.some(hasEnded)) await notes.noteEnd(record, found).catch(() => {})
}
