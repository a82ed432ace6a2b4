import { readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { label } from '../../model/labels.ts'
import { isProcessId } from '../../model/process-id.ts'
import { listCards, readCard } from './server-folder.ts'

/** A folder that is this old is not being created or removed any more. */
const KEPT_MS = 60 * 60_000

/**
 * Removes what calls have left that were killed while they created or removed a folder, and the events of sessions whose
 * end did not come so far as to remove them.
 */
export function removeOld(root: string, userId: number | undefined, now = Date.now()): void {
  const cards = listCards(root, userId)
  const used = new Set(cards.flatMap(({ id, labels }) => [id, `events-${labels[label.session] ?? ''}`]))
  for (const name of readdirSync(root)) {
    const path = join(root, name)
    if (used.has(name) || !isOld(path, now)) continue
    if (isProcessId(name) && !name.includes('.') && readCard(path) !== undefined) continue
    rmSync(path, { recursive: true, force: true })
  }
}

function isOld(path: string, now: number): boolean {
  const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: now }
  return now - mtimeMs > KEPT_MS
}
