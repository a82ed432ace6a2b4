import { dirname } from 'node:path'
import { label } from '../../model/labels.ts'
import { SUPERVISOR_MARK } from './client.ts'
import { findMarked, send } from './process-table.ts'
import { appendLine, eventsFile, readCard, removeServerFolder } from './server-folder.ts'
import { endOrphan } from './supervisor/end-orphan.ts'
import { unkillable } from './supervisor/refusals.ts'

/**
 * Removes a server whose supervisor was killed or does not answer: kills what is left of both, found by their marks, and
 * removes its folder. Fails with CLEANUP_FAILED.
 */
export async function removeProcess(id: string, folder: string, userId: number | undefined): Promise<void> {
  send(findMarked(`${SUPERVISOR_MARK}=${id}`, userId), 'SIGKILL')
  const left = await endOrphan(folder, userId)
  if (left.length > 0) throw unkillable(left)
  const card = readCard(folder)
  const server = card?.labels[label.server]
  if (!removeServerFolder(folder) || card === undefined || server === undefined) return
  const event = { kind: 'removed', server, id, atMs: Date.now() }
  appendLine(eventsFile(dirname(folder), card.labels[label.session] ?? ''), JSON.stringify(event))
}
