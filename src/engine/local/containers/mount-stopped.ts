import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { TestfleetError } from '../../../model/failures.ts'
import { findImage } from '../images/find-image.ts'
import { mountRoot } from '../images/mount-root.ts'
import { undefinedIfGone } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { containerPath, needContainer } from './life.ts'
import { withLock } from './lock.ts'

/** Mounts the root of a container that does not run, unless it is mounted, and returns its path. NOT_FOUND. */
export async function mountStopped(local: Local, { id, imageId, spec }: ContainerRecord): Promise<string> {
  const folder = containerPath(local, id)
  const path = join(folder, 'merged')
  if (await isMounted(path)) return path
  return withLock(local, id, {}, async () => {
    await needContainer(local, id)
    if (await isMounted(path)) return path
    const image = await findImage(local, imageId)
    if (image !== undefined) return mountRoot(local, image.layers, folder, { isVolatile: true })
    throw new TestfleetError('ENGINE_REFUSED', `the image ${spec.image} of the container is gone`)
  })
}

/** A folder on another device than its parent is the top of a mount. */
async function isMounted(path: string): Promise<boolean> {
  const [own, parent] = await Promise.all([stat(path), stat(join(path, '..'))].map((it) => it.catch(undefinedIfGone)))
  return own !== undefined && own.dev !== parent?.dev
}
