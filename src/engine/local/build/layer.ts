import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { formatOwner, isOwnerRunning } from '../containers/lock.ts'
import { mountRoot, unmountRoot } from '../images/mount-root.ts'
import { markSelf } from '../processes.ts'
import { callProgram } from '../programs.ts'
import { listNames, makeFolder, undefinedIfGone } from '../store.ts'
import type { Local } from '../types.ts'

/** Folder of one build, or of one of its steps. Everything in it goes at the end. */
export interface Workshop {
  readonly folder: string
  /** Unmounts what is mounted in it, and removes it. */
  close(): Promise<void>
}

/** Makes a folder for a build. What builds of dead processes have left goes first. */
export async function openWorkshop(local: Local): Promise<Workshop> {
  const folder = local.store.path('builds', nameOf(formatOwner(await markSelf())))
  await Promise.all([clearDead(local), makeFolder(folder), makeFolder(local.store.path('layers'))])
  return { folder, close: () => clear(local, folder) }
}

async function clearDead(local: Local): Promise<void> {
  const all = await listNames(local.store.path('builds'))
  for (const name of all)
    if (!(await isOwnerRunning(ownerOf(name)))) await clear(local, local.store.path('builds', name))
}

/** A colon in a path has a meaning in the options of a mount. */
function nameOf(owner: string): string {
  return owner.replaceAll(':', '_')
}

function ownerOf(name: string): string {
  return name.replaceAll('_', ':')
}

async function clear(local: Local, folder: string): Promise<void> {
  for (const name of await listNames(folder)) {
    if (!name.startsWith('root-')) continue
    // A program of a step whose build was killed may still run.
    await callProgram(local.machine, await local.runtime(), {
      arguments: ['--root', local.store.path('run'), 'delete', '--force', name.slice('root-'.length)],
    }).catch(() => {})
    await unmountRoot(local, join(folder, name))
  }
  await rm(folder, { recursive: true, force: true })
}

/** A mounted root in a build's folder. */
export interface MountedRoot {
  /** Names it for the OCI runtime. */
  readonly id: string
  readonly folder: string
  /** Path of the mounted root. */
  readonly root: string
}

/** Mounts layers in a build's folder. */
export async function openRoot(
  local: Local,
  workshop: Workshop,
  layers: readonly string[],
  signal: AbortSignal | undefined,
): Promise<MountedRoot> {
  const id = randomBytes(32).toString('hex')
  const folder = await makeFolder(join(workshop.folder, `root-${id}`))
  return { id, folder, root: await mountRoot(local, layers, folder, { isVolatile: true, signal }) }
}

/** Whether a layer is there. One that is used stays young. */
export async function hasLayer({ store }: Local, id: string): Promise<boolean> {
  const path = store.path('layers', id)
  if ((await stat(path).catch(undefinedIfGone)) === undefined) return false
  const now = new Date()
  await utimes(store.path('sizes', id), now, now).catch(undefinedIfGone)
  return true
}

/**
 * Makes a layer on top of others: what `work` changes in the mounted root. It appears at once and as a whole. Two that make
 * the same one at a time keep the first.
 */
export async function makeLayer(
  local: Local,
  workshop: Workshop,
  below: readonly string[],
  id: string,
  signal: AbortSignal | undefined,
  work: (mounted: MountedRoot) => Promise<void>,
): Promise<void> {
  const mounted = await openRoot(local, workshop, below, signal)
  try {
    await work(mounted)
  } finally {
    await unmountRoot(local, mounted.folder)
  }
  const up = join(mounted.folder, 'up')
  await keepSize(local, id, up)
  await rename(up, local.store.path('layers', id)).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST' && error.code !== 'ENOTEMPTY') throw error
  })
  await rm(mounted.folder, { recursive: true, force: true })
}

/** Notes the size of a layer. */
export async function keepSize(local: Local, id: string, folder: string): Promise<void> {
  const said = await callProgram(local.machine, 'du', { arguments: ['-s', '-x', '--block-size=1', '--', folder] })
  await mkdir(local.store.path('sizes'), { recursive: true, mode: 0o700 })
  await writeFile(local.store.path('sizes', id), String(Number.parseInt(said, 10) || 0), { mode: 0o600 })
}

/** Returns the size of a layer in bytes; 0 when it is not known. */
export async function readSize({ store }: Local, id: string): Promise<number> {
  const text = await readFile(store.path('sizes', id), 'utf8').catch(undefinedIfGone)
  return Number(text) || 0
}
