import { randomBytes } from 'node:crypto'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { TestfleetError } from '../../model/failures.ts'

/**
 * The folder of the local engine: everything that it knows, and all files of its servers.
 *
 * Nothing runs that owns it. Any number of processes use it at the same time: each change is one call of the kernel that
 * only one of them can win (a rename, a new link), and what is read may be gone in the next moment.
 *
 * Records are a few hundred bytes on a local disk: a call that waits for the kernel takes a tenth of the processor time of
 * one that goes through the thread pool, and thirty servers that start together need more than a thousand.
 */
export interface Store {
  readonly folder: string
  /** Path below the folder. */
  path(...names: readonly string[]): string
}

export function openStore(folder: string): Store {
  return { folder, path: (...names) => join(folder, ...names) }
}

/** Creates a private folder with all above it. */
export async function makeFolder(path: string): Promise<string> {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  return path
}

/** Returns 64 hexadecimal digits, as a container's id has. */
export function newId(): string {
  return randomBytes(32).toString('hex')
}

/** A record is a small file of our own; a longer one is damaged. */
const MOST_BYTES = 4 << 20

/** Reads a record; undefined when it does not exist. ENGINE_REFUSED when it is damaged. */
export async function readRecord<T>(path: string): Promise<T | undefined> {
  const text = unlessGone(() => readFileSync(path, 'utf8'))
  if (text === undefined) return undefined
  try {
    if (text.length > MOST_BYTES) throw new Error(`it has ${text.length} characters`)
    return JSON.parse(text) as T
  } catch (error) {
    throw new TestfleetError('ENGINE_REFUSED', `${path} is damaged: ${(error as Error).message}`, { cause: error })
  }
}

/** Writes a record so that a reader sees the old one or the new one, never a part. */
export async function writeRecord(path: string, value: object): Promise<void> {
  const beside = join(dirname(path), `.${randomBytes(6).toString('hex')}`)
  try {
    writeFileSync(beside, JSON.stringify(value), { mode: 0o600, flag: 'wx' })
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
}

/** Returns the names in a folder, without hidden ones; none when it does not exist. */
export async function listNames(folder: string): Promise<readonly string[]> {
  const names = unlessGone(() => readdirSync(folder)) ?? []
  return names.filter((name) => !name.startsWith('.'))
}

/**
 * Takes a name for an id. Returns the id that has it: another one when it was taken before. `isAlive` tells whether the
 * owner of a name still exists; a name of one that is gone is free.
 */
export async function takeName(
  folder: string,
  name: string,
  id: string,
  isAlive: (id: string) => Promise<boolean>,
): Promise<string> {
  await makeFolder(folder)
  const path = join(folder, name)
  for (;;) {
    try {
      symlinkSync(id, path)
      return id
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    const owner = await readName(folder, name)
    if (owner === undefined) continue
    if (await isAlive(owner)) return owner
    await freeName(folder, name, owner)
  }
}

/** Returns the id that has this name. */
export async function readName(folder: string, name: string): Promise<string | undefined> {
  return unlessGone(() => readlinkSync(join(folder, name)))
}

/** Frees a name if it still belongs to this id. */
export async function freeName(folder: string, name: string, id: string): Promise<void> {
  if ((await readName(folder, name)) !== id) return
  // Moved first: of two calls, only one can remove it, and a name that was taken again in between is put back.
  const aside = join(folder, `.${randomBytes(6).toString('hex')}`)
  unlessGone(() => renameSync(join(folder, name), aside))
  const moved = unlessGone(() => readlinkSync(aside))
  if (moved === undefined) return
  if (moved !== id) renameSync(aside, join(folder, name))
  else unlessGone(() => unlinkSync(aside))
}

/** Returns what a call returns; undefined for what does not exist, or is no folder. */
export function unlessGone<T>(call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    return undefinedIfGone(error as NodeJS.ErrnoException)
  }
}

/** Use with `catch`: undefined for what does not exist, or is no folder. */
export function undefinedIfGone(error: NodeJS.ErrnoException): undefined {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
  throw error
}
