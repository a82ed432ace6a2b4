import { randomBytes } from 'node:crypto'
import { rename, rm, symlink } from 'node:fs/promises'
import { freeName, listNames, makeFolder, readName, readRecord, undefinedIfGone } from '../store.ts'
import type { ContainerRecord, Local } from '../types.ts'
import { configPath, fileOf, listReferences, recordPath } from './find-image.ts'

/** Gives an image a name, which another image may have until now. That one stays, as with Docker: its id is then its name. */
export async function nameImage(local: Local, reference: string, id: string): Promise<void> {
  const folder = await makeFolder(local.store.path('references'))
  const name = fileOf(reference)
  const before = await readName(folder, name)
  await moveName(local, name, id)
  if (before === undefined || before === id) return
  const others = await listReferences(local)
  if (!others.some((one) => one.id === before)) await moveName(local, fileOf(before), before)
}

async function moveName({ store }: Local, name: string, id: string): Promise<void> {
  const beside = store.path('references', `.${randomBytes(6).toString('hex')}`)
  await symlink(id, beside)
  await rename(beside, store.path('references', name)).catch(async (error: unknown) => {
    await rm(beside, { force: true })
    throw error
  })
}

export function unnameImage(local: Local, reference: string, id: string): Promise<void> {
  return freeName(local.store.path('references'), fileOf(reference), id)
}

/** Returns the containers that were created from this image, by their names. */
export async function findUsers({ store }: Local, imageId: string): Promise<readonly string[]> {
  const ids = await listNames(store.path('containers'))
  const records = await Promise.all(
    ids.map((id) => readRecord<ContainerRecord>(store.path('containers', id, 'container.json')).catch(() => undefined)),
  )
  return records.flatMap((record) => (record?.imageId === imageId ? [record.name] : []))
}

/**
 * Removes an image without a name, unless a container uses it. Returns whether it has gone. Its record is moved aside
 * first: what looks for the image after that does not find it, and what had found it before is seen now.
 */
export async function dropUnnamed(local: Local, id: string): Promise<boolean> {
  const path = recordPath(local, id)
  const aside = local.store.path('images', `.${randomBytes(6).toString('hex')}`)
  const isMoved = await rename(path, aside).then(() => true, undefinedIfGone)
  if (isMoved === undefined) return true
  const [users, references] = await Promise.all([findUsers(local, id), listReferences(local)])
  if (users.length > 0 || references.some((one) => one.id === id)) {
    await rename(aside, path)
    return false
  }
  await Promise.all([rm(aside, { force: true }), rm(configPath(local, id), { force: true })])
  return true
}
