import { rename, rm } from 'node:fs/promises'
import type { CallOptions } from '../../engine.ts'
import { unmountRoot } from '../images/mount-root.ts'
import { detach } from '../networks/attach.ts'
import { freeName, undefinedIfGone } from '../store.ts'
import type { Local } from '../types.ts'
import { clearRun } from './clear-run.ts'
import { nameFolder, REMOVED } from './create.ts'
import { noteEvent } from './event-log.ts'
import { containerPath, findContainer, removeExit } from './life.ts'
import { withLock } from './lock.ts'

/**
 * Kills and removes a container with its own volumes. Its record goes last, so that a removal that was interrupted can be
 * repeated.
 */
export async function removeContainer(local: Local, idOrName: string, options: CallOptions = {}): Promise<void> {
  options.signal?.throwIfAborted()
  const found = await findContainer(local, idOrName)
  if (found === undefined) return
  await withLock(local, found.id, options, () => removeLocked(local, found.id))
}

async function removeLocked(local: Local, id: string): Promise<void> {
  const record = await findContainer(local, id)
  // Another call was faster.
  if (record === undefined) return
  await clearRun(local, record)
  const folder = containerPath(local, id)
  await Promise.all([unmountRoot(local, folder), detach(local, id)])
  // A call that reads the files of a container may have mounted them at the same moment.
  await unmountRoot(local, folder)
  await Promise.all([freeName(nameFolder(local), record.name, id), noteEvent(local, record, { kind: 'removed' })])
  const aside = local.store.path('containers', `${REMOVED}${id}`)
  await rename(folder, aside).catch(undefinedIfGone)
  // What waits for its end looks again now.
  await removeExit(local, id)
  await rm(aside, { recursive: true, force: true })
}
