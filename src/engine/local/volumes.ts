import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { TestfleetError } from '../../model/failures.ts'
import type { Labels } from '../../model/labels.ts'
import type { Engine, VolumeSummary } from '../engine.ts'
import { matchLabels } from './match-labels.ts'
import { listNames, makeFolder, readRecord, type Store, undefinedIfGone } from './store.ts'
import type { ContainerRecord, Local } from './types.ts'

/** `volumes/<name>/volume.json`. The files of the volume are in `data`, next to it. */
interface VolumeRecord {
  readonly labels: Labels
  readonly createdAtMs: number
}

export function volumeVerbs({ store }: Local) {
  return {
    async listVolumes(labels, options) {
      options?.signal?.throwIfAborted()
      const [named, own] = await Promise.all([listNamed(store), listOwn(store)])
      return [...named, ...own].filter((volume) => matchLabels(volume.labels, labels))
    },
    async createVolume(name, labels, options) {
      options?.signal?.throwIfAborted()
      checkName(name)
      return createVolume(store, name, labels)
    },
    async removeVolume(name, options) {
      options?.signal?.throwIfAborted()
      const owner = ownerIn(name)
      if (owner !== undefined && (await readContainer(store, owner)) !== undefined) throw inUse(name, owner)
      if (mistakeIn(name) === undefined) await removeVolume(store, name)
    },
  } satisfies Partial<Engine>
}

/** Returns the folder with the files of a named volume. */
export function volumeFolder(store: Store, name: string): string {
  return store.path('volumes', name, 'data')
}

/**
 * Creates the volume as one rename of a complete folder: of two callers exactly one succeeds, and the other one gets the
 * labels of the first.
 */
async function createVolume(store: Store, name: string, labels: Labels): Promise<Labels> {
  const [path, prepared] = [store.path('volumes', name), hiddenPath(store, 'new')]
  await makeFolder(prepared)
  const record: VolumeRecord = { labels, createdAtMs: Date.now() }
  try {
    await Promise.all([
      mkdir(`${prepared}/data`, { mode: 0o755 }),
      writeFile(`${prepared}/volume.json`, JSON.stringify(record), { mode: 0o600 }),
    ])
    for (;;) {
      if (await moves(prepared, path)) return labels
      const earlier = await readRecord<VolumeRecord>(`${path}/volume.json`)
      if (earlier !== undefined) return earlier.labels
    }
  } finally {
    await rm(prepared, { recursive: true, force: true })
  }
}

/** Renames a folder; false when there is another one at its new path. */
async function moves(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    return false
  }
}

/**
 * Moves the volume aside before it looks for containers that use it a second time. A container is recorded before its
 * volumes are created: so either this call sees the container, or the container gets a new volume.
 */
async function removeVolume(store: Store, name: string): Promise<void> {
  const path = store.path('volumes', name)
  await refuseIfUsed(store, name)
  const aside = hiddenPath(store, 'old')
  try {
    await rename(path, aside)
  } catch (error) {
    return undefinedIfGone(error as NodeJS.ErrnoException)
  }
  try {
    await refuseIfUsed(store, name)
  } catch (error) {
    await moves(aside, path)
    throw error
  }
  await rm(aside, { recursive: true, force: true })
  await removeRemains(store)
}

async function refuseIfUsed(store: Store, name: string): Promise<void> {
  const users = (await readContainers(store)).filter(({ spec }) =>
    spec.mounts.some((mount) => mount.kind === 'volume' && mount.volume === name),
  )
  if (users[0] !== undefined) throw inUse(name, users.map((user) => user.name).join(', '))
}

function inUse(name: string, by: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `the volume ${name} is used by the container ${by}`, {
    hint: 'Remove the container first.',
  })
}

const REMAINS_AGE_MS = 3_600_000

/** Removes what calls have left that were killed long ago. */
async function removeRemains(store: Store): Promise<void> {
  const folder = store.path('volumes')
  for (const name of await readdir(folder)) {
    if (!name.startsWith('.')) continue
    const found = await stat(`${folder}/${name}`).catch(undefinedIfGone)
    if (found === undefined || Date.now() - found.ctimeMs < REMAINS_AGE_MS) continue
    await rm(`${folder}/${name}`, { recursive: true, force: true })
  }
}

function hiddenPath(store: Store, kind: 'new' | 'old'): string {
  return store.path('volumes', `.${kind}-${randomBytes(8).toString('hex')}`)
}

async function listNamed(store: Store): Promise<readonly VolumeSummary[]> {
  const names = await listNames(store.path('volumes'))
  const read = async (name: string): Promise<VolumeSummary | undefined> => {
    const record = await readRecord<VolumeRecord>(store.path('volumes', name, 'volume.json'))
    return record && { name, labels: record.labels, createdAtMs: record.createdAtMs }
  }
  return (await Promise.all(names.map(read))).filter((volume) => volume !== undefined)
}

/** Lists the anonymous volumes, which are in the folders of their containers. */
async function listOwn(store: Store): Promise<readonly VolumeSummary[]> {
  return (await readContainers(store)).flatMap(({ id, spec, ownVolumes, createdAtMs }) =>
    Object.entries(ownVolumes).map(([to, folder]) => {
      const mount = spec.mounts.find((one) => one.kind === 'ownVolume' && one.to === to)
      return { name: `${id}-${basename(folder)}`, labels: mount?.kind === 'ownVolume' ? mount.labels : {}, createdAtMs }
    }),
  )
}

/** Returns the container to which an anonymous volume of this name belongs. */
function ownerIn(name: string): string | undefined {
  return /^([0-9a-f]{64})-[^/]+$/.exec(name)?.[1]
}

function readContainer(store: Store, id: string): Promise<ContainerRecord | undefined> {
  return readRecord<ContainerRecord>(store.path('containers', id, 'container.json'))
}

async function readContainers(store: Store): Promise<readonly ContainerRecord[]> {
  const ids = await listNames(store.path('containers'))
  const records = await Promise.all(ids.map((id) => readContainer(store, id)))
  return records.filter((record) => record !== undefined)
}

/** Length of the longest name of a file. */
const LONGEST_NAME = 255

function checkName(name: string): void {
  const mistake = mistakeIn(name)
  if (mistake === undefined) return
  throw new TestfleetError('ENGINE_REFUSED', `${JSON.stringify(name)} cannot be the name of a volume: ${mistake}`, {
    hint: `Use 2 to ${LONGEST_NAME} of the characters a-z, A-Z, 0-9, "_", "." and "-", of which the first is a letter or a digit.`,
  })
}

/** What is wrong with the name of a volume. The rules are Docker's. */
function mistakeIn(name: string): string | undefined {
  if (name.length < 2) return 'it is too short'
  if (name.length > LONGEST_NAME) return 'it is too long'
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/.test(name) ? undefined : 'it has other characters than Docker allows'
}
