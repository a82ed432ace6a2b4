import { label } from '../model/labels.ts'
import { removeUnfinishedImages } from './remove-unfinished-images.ts'
import { cleanupFailed, settleAll } from './settle.ts'
import type { Tools } from './tools.ts'

/** Removes what a lease has that belongs to no session. Fails with CLEANUP_FAILED, once all has been tried. */
export async function removeUnfinished(lease: string, { engine }: Tools): Promise<void> {
  const made = { [label.lease]: lease }
  const [containers, images] = await Promise.all([engine.listContainers(made), engine.listImages(made)])
  const readers = containers.filter(({ labels }) => labels[label.session] === undefined)
  const errors = await settleAll(readers.map(({ id }) => engine.removeContainer(id)))
  errors.push(...(await removeUnfinishedImages(images, engine)))
  if (errors.length > 0) throw cleanupFailed(errors)
}
