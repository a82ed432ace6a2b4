import { TestfleetError } from '../../model/failures.ts'
import { label } from '../../model/labels.ts'
import { SUPERVISOR_MARK } from './client.ts'
import { findMarked, readName, send } from './process-table.ts'
import { killTree } from './process-tree.ts'
import { appendLine, readCard, removeServerFolder } from './server-folder.ts'

/**
 * Removes a server whose supervisor was killed or does not answer: kills what is left of both, found by their marks, and
 * removes its folder. Fails with CLEANUP_FAILED.
 */
export async function removeProcess(
  id: string,
  folder: string,
  userId: number | undefined,
  eventsOf?: (session: string) => string,
): Promise<void> {
  send(findMarked(`${SUPERVISOR_MARK}=${id}`, userId), 'SIGKILL')
  const left = await killTree({ id, userId })
  if (left.length > 0) {
    const names = left.map((pid) => `${readName(pid)} (process ${pid})`)
    throw new TestfleetError('CLEANUP_FAILED', `these processes cannot be killed: ${names.join(', ')}`)
  }
  const card = readCard(folder)
  if (!removeServerFolder(folder) || card === undefined || eventsOf === undefined) return
  const event = { kind: 'removed', server: card.labels[label.server] ?? '', id, atMs: Date.now() }
  appendLine(eventsOf(card.labels[label.session] ?? ''), JSON.stringify(event))
}
