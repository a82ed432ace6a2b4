import { dirname } from 'node:path'
import { label } from '../../../model/labels.ts'
import { killTree } from '../process-tree.ts'
import { KILLED } from '../protocol.ts'
import { appendLine, endRun, eventsFile, readCard, readRun } from '../server-folder.ts'

/**
 * Kills what is left of a server whose supervisor was killed, and reports the end of its program, once. Resolves with the
 * processes that cannot be killed. Does nothing when the server was removed.
 */
export async function endOrphan(folder: string, userId: number | undefined): Promise<readonly number[]> {
  const card = readCard(folder)
  if (card === undefined) return []
  const { id, labels } = card
  const left = await killTree({ id, userId, root: readRun(folder) })
  const server = labels[label.server]
  if (!endRun(folder) || server === undefined) return left
  const event = { kind: 'exited', exitCode: KILLED, server, id, atMs: Date.now() }
  appendLine(eventsFile(dirname(folder), labels[label.session] ?? ''), JSON.stringify(event))
  return left
}
