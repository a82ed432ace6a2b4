import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ContainerMount, ContainerSpec } from '../../../model/container.ts'
import { TestfleetError } from '../../../model/failures.ts'
import type { CallOptions, ContainerCopy } from '../../engine.ts'
import { findImage } from '../images/find-image.ts'
import { capabilitiesOf } from '../oci/capabilities.ts'
import { wordsOf } from '../oci/words.ts'
import { freeName, listNames, makeFolder, newId, readName, takeName, undefinedIfGone, writeRecord } from '../store.ts'
import type { ContainerRecord, ImageRecord, Local } from '../types.ts'
import { volumeVerbs } from '../volumes.ts'
import { noteEvent } from './event-log.ts'
import { containerPath, findContainer, needContainer } from './life.ts'
import { isOwnerRunning, withLock } from './lock.ts'

/** Creates a container: its record, its name and its volumes. Nothing is mounted and no program started. */
export async function createContainer(
  local: Local,
  spec: ContainerSpec,
  { signal }: CallOptions = {},
): Promise<string> {
  signal?.throwIfAborted()
  checkName(spec.name)
  const image = await needImage(local, spec.image)
  await checkSpec(spec, image)
  const id = newId()
  const record: ContainerRecord = {
    ...{ id, name: spec.name, spec, imageId: image.id, createdAtMs: Date.now() },
    labels: { ...image.config.labels, ...spec.labels },
    ownVolumes: ownVolumes(local, id, spec, image),
  }
  await keep(local, record)
  for (const mount of spec.mounts)
    if (mount.kind === 'volume') await volumeVerbs(local).createVolume(mount.volume, {}, undefined)
  await noteEvent(local, record, { kind: 'created' })
  return id
}

/** Creates a container with the settings of another one. Its own volumes are new. */
export async function copyContainer(
  local: Local,
  idOrName: string,
  { name, image, labels, published }: ContainerCopy,
  options: CallOptions = {},
): Promise<string> {
  const { spec } = await needContainer(local, idOrName)
  const ports = spec.ports.map((port) => {
    if (port.host !== undefined) return port
    const same = published.filter((one) => one.container === port.container && one.protocol === port.protocol)
    const found = same.find((one) => !port.address || one.address === port.address)
    return { ...port, host: found?.port }
  })
  return createContainer(local, { ...spec, name, image, ports, labels: { ...spec.labels, ...labels } }, options)
}

/** Renames a container. NAME_TAKEN. */
export async function renameContainer(
  local: Local,
  idOrName: string,
  name: string,
  options: CallOptions = {},
): Promise<void> {
  checkName(name)
  const { id } = await needContainer(local, idOrName)
  await withLock(local, id, options, async () => {
    const record = await needContainer(local, id)
    if (record.name === name) return
    await take(local, name, id)
    await writeRecord(containerPath(local, id, 'container.json'), { ...record, name })
    await freeName(nameFolder(local), record.name, id)
  })
}

/** Returns the image of a container. IMAGE_NOT_FOUND. */
async function needImage(local: Local, reference: string): Promise<ImageRecord> {
  const image = await findImage(local, reference)
  if (image !== undefined) return image
  throw new TestfleetError('IMAGE_NOT_FOUND', `the engine does not have the image ${reference}`)
}

export function nameFolder({ store }: Pick<Local, 'store'>): string {
  return store.path('names', 'containers')
}

/** The folder appears whole, by one rename. Until then, its name belongs to it as long as this process runs. */
async function keep(local: Local, record: ContainerRecord): Promise<void> {
  // The lock tells what is left of a call that has died.
  await withLock(local, record.id, {}, () => prepare(local, record))
}

async function prepare(local: Local, record: ContainerRecord): Promise<void> {
  const { id, name, ownVolumes: volumes } = record
  const prepared = preparedPath(local, id)
  await makeFolder(prepared)
  try {
    const folders = Object.values(volumes).map((path) =>
      mkdir(path.replace(containerPath(local, id), prepared), { recursive: true }),
    )
    await Promise.all([
      ...folders,
      writeFile(join(prepared, 'container.json'), JSON.stringify(record), { mode: 0o600 }),
      take(local, name, id),
    ])
    await rename(prepared, containerPath(local, id))
  } catch (error) {
    await rm(prepared, { recursive: true, force: true })
    throw error
  }
}

function preparedPath({ store }: Local, id: string): string {
  return store.path('containers', `${PREPARED}${id}`)
}

async function take(local: Local, name: string, id: string): Promise<void> {
  const isAlive = async (owner: string): Promise<boolean> => {
    const record = await findContainer(local, owner)
    if (record !== undefined) return record.name === name || (await isLocked(local, owner))
    // It may have become whole between the two looks.
    return (await isLocked(local, owner)) || (await findContainer(local, owner)) !== undefined
  }
  if ((await takeName(nameFolder(local), name, id, isAlive)) === id) return
  throw new TestfleetError('NAME_TAKEN', `a container named ${name} already exists`)
}

/** Whether a call works on a container, such as one that gives it this name. */
async function isLocked({ store }: Local, id: string): Promise<boolean> {
  const owner = await readName(store.path('locks'), id)
  return owner !== undefined && isOwnerRunning(owner)
}

/** Volumes of the specification and of the image, each in a folder of the container. */
function ownVolumes(local: Local, id: string, spec: ContainerSpec, image: ImageRecord): Record<string, string> {
  const own = spec.mounts.filter((mount) => mount.kind === 'ownVolume').map((mount) => mount.to)
  const taken = new Set([...spec.mounts, ...spec.tmpfs].map(({ to }) => to))
  const all = [...own, ...image.config.volumes.filter((path) => !taken.has(path))]
  return Object.fromEntries(all.map((to, index) => [to, containerPath(local, id, 'volumes', String(index))]))
}

/** What Docker refuses when a container is created. */
async function checkSpec(spec: ContainerSpec, image: ImageRecord): Promise<void> {
  wordsOf(spec, image.config)
  capabilitiesOf(spec)
  const paths = new Set<string>()
  for (const { to } of [...spec.mounts, ...spec.tmpfs]) {
    if (!to.startsWith('/')) throw refused(`the mount path ${JSON.stringify(to)} is not absolute`)
    if (to === '/') throw refused('nothing can be mounted at /')
    if (paths.has(to)) throw refused(`two mounts are at ${to}`)
    paths.add(to)
  }
  await Promise.all(spec.mounts.map(checkSource))
}

async function checkSource(mount: ContainerMount): Promise<void> {
  if (mount.kind !== 'bind') return
  if ((await stat(mount.from).catch(undefinedIfGone)) === undefined)
    throw refused(`the mounted path ${mount.from} does not exist on this machine`)
}

function refused(message: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', message)
}

function checkName(name: string): void {
  if (/^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/.test(name)) return
  throw new TestfleetError('ENGINE_REFUSED', `${JSON.stringify(name)} cannot be the name of a container`, {
    hint: 'Use 2 to 255 of the characters a-z, A-Z, 0-9, "_", "." and "-", of which the first is a letter or a digit.',
  })
}

/** Removes what calls that were killed have left: folders of containers that were being made or removed, names, and locks. */
export async function removeRemains(local: Local): Promise<void> {
  const { store } = local
  const folder = store.path('containers')
  const names = (await readdir(folder).catch(undefinedIfGone)) ?? []
  for (const name of names.filter((one) => one.startsWith('.')))
    if (!(await isLocked(local, name.slice(PREPARED.length))))
      await rm(join(folder, name), { recursive: true, force: true })
  for (const name of await listNames(nameFolder(local))) {
    const id = await readName(nameFolder(local), name)
    if (id === undefined || (await isLocked(local, id)) || (await findContainer(local, id)) !== undefined) continue
    await freeName(nameFolder(local), name, id)
  }
  const locks = store.path('locks')
  for (const id of await listNames(locks)) {
    const owner = await readName(locks, id)
    if (owner !== undefined && !(await isOwnerRunning(owner))) await freeName(locks, id, owner)
  }
}

/** Beginnings of the names of folders that are being made or removed; the container's id follows, whose lock is held meanwhile. */
const PREPARED = '.new-'
export const REMOVED = '.old-'
