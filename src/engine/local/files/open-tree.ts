import { constants, existsSync, openSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { TestfleetError } from '../../../model/failures.ts'
import { readName, readRecord, undefinedIfGone } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { volumeFolder } from '../volumes.ts'
import { closeAll, openTrusted } from './descriptors.ts'
import { type Tree, type TreeMount, treeOf } from './walk.ts'

/** Mounts the root of a container that does not run, unless it is mounted, and returns its path. */
export type MountRoot = (record: ContainerRecord) => Promise<string>

export interface OpenTree extends Tree {
  readonly record: ContainerRecord
  readonly isRunning: boolean
  close(): void
}

/**
 * Opens the files of a container. One that runs is seen as its own programs see it, with everything that is mounted. NOT_FOUND.
 */
export async function openTree(local: Local, id: string, mountRoot: MountRoot): Promise<OpenTree> {
  const record = await findRecord(local, id)
  const running = await openRunningRoot(local, record.id)
  const root = running ?? openTrusted(await mountRoot(record))
  const close = (): void => closeAll([root])
  try {
    const mounts = running === undefined ? mountsOf(local, record) : []
    return { ...treeOf(root, mounts), record, isRunning: running !== undefined, close }
  } catch (error) {
    close()
    throw error
  }
}

/** Finds a container by its id or its name. NOT_FOUND. */
async function findRecord({ store }: Local, id: string): Promise<ContainerRecord> {
  const isId = /^[0-9a-f]{64}$/.test(id)
  const isName = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/.test(id)
  const found = isId ? id : isName ? await readName(store.path('names', 'containers'), id) : undefined
  const record = found && (await readRecord<ContainerRecord>(store.path('containers', found, 'container.json')))
  if (record) return record
  throw new TestfleetError('NOT_FOUND', `there is no container ${id}`)
}

/**
 * Opens the root of a container's first process. Its folder in /proc is opened first, and then compared with the
 * container: it stays that of this process when its id belongs to another one later.
 */
async function openRunningRoot(local: Local, id: string): Promise<number | undefined> {
  const pid = await readPid(local, id)
  if (pid === undefined) return undefined
  let folder: number | undefined
  try {
    folder = openSync(`/proc/${pid}`, constants.O_RDONLY | constants.O_DIRECTORY)
    const own = `/proc/self/fd/${folder}`
    if (!isOf(id, own)) return undefined
    return openTrusted(`${own}/root`)
  } catch {
    // It has just ended.
    return undefined
  } finally {
    closeAll([folder])
  }
}

/** Returns the id of the first process of a container, which may have ended. */
async function readPid({ store }: Local, id: string): Promise<number | undefined> {
  const text = await readFile(store.path('containers', id, 'pidfile'), 'utf8').catch(undefinedIfGone)
  const pid = Number(text)
  return text !== undefined && Number.isInteger(pid) && pid > 1 ? pid : undefined
}

/** Whether a process is in the container: by its control group, or by its mounts where there is none. */
function isOf(id: string, folder: string): boolean {
  return ['cgroup', 'mountinfo'].some((file) => readFileSync(`${folder}/${file}`, 'latin1').includes(id))
}

function mountsOf({ store }: Local, { spec, ownVolumes }: ContainerRecord): readonly TreeMount[] {
  const given = spec.mounts.flatMap((mount): TreeMount[] => {
    if (mount.kind === 'ownVolume') return []
    const from = mount.kind === 'bind' ? mount.from : volumeFolder(store, mount.volume)
    return [{ to: mount.to, from, writable: mount.writable }]
  })
  const own = Object.entries(ownVolumes).map(([to, from]) => ({
    to,
    from,
    writable: spec.mounts.find((mount) => mount.to === to)?.writable ?? true,
  }))
  return [...given, ...own].filter(({ from }) => existsSync(from))
}
