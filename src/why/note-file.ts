import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { stateFolder } from '../files/state-folder.ts'
import type { Host } from '../model/host.ts'
import type { SessionRecord } from '../model/session.ts'

type Noted = Pick<SessionRecord, 'id' | 'name' | 'fleet' | 'file'>

export function notesFolder(host: Host): string {
  return join(stateFolder(host), 'runs')
}

/** Returns what the names of a fleet's notes begin with: a digest of its file, or of its name when it has none. */
export function keyOfFleet({ fleet, file }: { readonly fleet?: string; readonly file?: string | undefined }): string {
  const text = file === undefined ? `fleet ${fleet}` : `file ${file}`
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}

export function nameOfNote({ id, name, fleet, file }: Noted): string {
  return `${keyOfFleet({ fleet, file })}.${name}.${id}.json`
}

/** Removes the note of a session, because what it says is outdated. */
export async function forgetNote(record: Noted, host: Host): Promise<void> {
  await rm(join(notesFolder(host), nameOfNote(record)), { force: true }).catch(() => {})
}
