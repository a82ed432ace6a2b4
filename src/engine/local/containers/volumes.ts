import { chmod, chown, lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { closeAll, openTrusted, toBytes, toText } from '../files/descriptors.ts'
import { finalPath, treeOf } from '../files/walk.ts'
import { bindMount, type OciMount } from '../oci/mounts.ts'
import { callProgram } from '../programs.ts'
import { undefinedIfGone } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { volumeFolder, volumeVerbs } from '../volumes.ts'

/**
 * Returns the mounts of a container's volumes and folders of this machine. As with Docker, a volume that is empty gets the
 * content of the image at its path, with its owners and modes.
 */
export async function mountVolumes(
  local: Local,
  { spec, ownVolumes }: ContainerRecord,
  root: string,
): Promise<readonly OciMount[]> {
  const given = spec.mounts.map(async (mount): Promise<OciMount> => {
    if (mount.kind === 'bind') return bindMount(mount.from, mount.to, mount.writable)
    const own = ownVolumes[mount.to]
    const folder = mount.kind === 'volume' ? await needVolume(local, mount.volume) : (own ?? '')
    await fill(local, folder, root, mount.to)
    return bindMount(folder, mount.to, mount.writable)
  })
  const named = new Set(spec.mounts.map(({ to }) => to))
  const ofImage = Object.entries(ownVolumes).filter(([to]) => !named.has(to))
  const own = ofImage.map(async ([to, folder]) => {
    await fill(local, folder, root, to)
    return bindMount(folder, to, true)
  })
  return Promise.all([...given, ...own])
}

async function needVolume(local: Local, name: string): Promise<string> {
  const folder = volumeFolder(local.store, name)
  if ((await stat(folder).catch(undefinedIfGone)) === undefined)
    await volumeVerbs(local).createVolume(name, {}, undefined)
  return folder
}

/** `to` may lead through links of the image, which are followed inside its root. */
async function fill({ machine }: Local, folder: string, root: string, to: string): Promise<void> {
  if ((await readdir(folder)).length > 0) return
  const tree = treeOf(openTrusted(root), [])
  try {
    const source = join(root, toText(finalPath(tree, toBytes(to))))
    const stats = await lstat(source).catch(undefinedIfGone)
    if (!stats?.isDirectory()) return
    await Promise.all([chown(folder, stats.uid, stats.gid), chmod(folder, stats.mode & 0o7777)])
    if ((await readdir(source)).length === 0) return
    await callProgram(machine, 'cp', { arguments: ['-a', '--', `${source}/.`, folder] })
  } finally {
    closeAll([tree.root])
  }
}
