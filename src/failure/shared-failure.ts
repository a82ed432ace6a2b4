import { createHash } from 'node:crypto'
import { open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { inStateFolder, makePrivateFolder, savePrivateFile } from '../files/state-folder.ts'
import { type FailureCode, failureCodes, TestfleetError } from '../model/failures.ts'
import type { Host } from '../model/host.ts'

const FOLDER = 'shares'
const KEPT_MS = 24 * 3_600_000
const MAX_BYTES = 64 * 1024

interface Note {
  readonly code: FailureCode
  readonly message: string
  readonly hint?: string
  readonly server?: string
  readonly atMs: number
  readonly process: number
}

/** A session as its callers mean it: two engines can each have one of that name. */
export interface SharedKey {
  readonly name: string
  /** Path of its fleet file, or name of its fleet. */
  readonly fleet: string
  readonly engine: string
}

/**
 * Notes why the start of a shared session failed, for the calls that wait for it: each of them would fail in the same way,
 * one after the other. Without the note, they only take longer.
 */
export async function noteSharedFailure(key: SharedKey, error: TestfleetError, host: Host): Promise<void> {
  const { code, message, hint, server } = error
  const note = { code, message, hint, server, atMs: Date.now(), process: host.processId }
  await inStateFolder(host, async (folder) => {
    const notes = join(folder, FOLDER)
    await makePrivateFolder(notes, host)
    await savePrivateFile(join(notes, fileOf(key)), JSON.stringify(note))
    await removeOld(notes)
  }).catch(() => {})
}

/** Returns the failure of a start of this session that another call made since then; undefined when there is none. */
export async function findSharedFailure(
  key: SharedKey,
  sinceMs: number,
  host: Host,
): Promise<TestfleetError | undefined> {
  const note = await inStateFolder(host, (folder) => readNote(join(folder, FOLDER, fileOf(key)))).catch(() => {})
  if (note === undefined || note.atMs < sinceMs) return undefined
  const { code, message, hint, server, process } = note
  return new TestfleetError(code, `${message} (process ${process} had begun to start this shared session)`, {
    hint,
    server,
  })
}

function fileOf({ name, fleet, engine }: SharedKey): string {
  const digest = createHash('sha256').update(JSON.stringify([fleet, engine]))
  return `${name}-${digest.digest('hex').slice(0, 16)}.json`
}

async function readNote(path: string): Promise<Note | undefined> {
  await using file = await open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MAX_BYTES), 0, MAX_BYTES, 0)
  const note: unknown = JSON.parse(buffer.toString('utf8', 0, bytesRead))
  return isNote(note) ? note : undefined
}

function isNote(value: unknown): value is Note {
  const { code, message, atMs, process } = (value ?? {}) as Partial<Record<keyof Note, unknown>>
  const isFailureCode = typeof code === 'string' && Object.hasOwn(failureCodes, code)
  return isFailureCode && typeof message === 'string' && typeof atMs === 'number' && typeof process === 'number'
}

async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    // Another call may remove or replace it meanwhile.
    const found = await stat(path).catch(() => undefined)
    if (found !== undefined && Date.now() - found.mtimeMs > KEPT_MS) await rm(path, { force: true })
  }
}
