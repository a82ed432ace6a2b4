import { lstat, readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inStateFolder, makePrivateFolder, savePrivateFile } from '../files/state-folder.ts'
import type { Host } from '../model/host.ts'
import { type RunNote, runNote } from '../model/run-note.ts'
import { keyOfFleet, nameOfNote, notesFolder } from './note-file.ts'

/** Limit for one note. Longer logs lose their first lines. */
export const MAX_NOTE_BYTES = 256 * 1024
/** Notes that are kept of one fleet, and of all fleets together. */
const MOST_OF_FLEET = 5
const MOST_OF_ALL = 200

const NOTE_NAME = /^([0-9a-f]{16})\.([a-z0-9-]{1,48})\.([0-9a-f]{8})\.json$/

/** Which notes are wanted: those of a fleet file, of a fleet without a file, or of a session. */
export type Wanted =
  | { readonly file: string }
  | { readonly fleet: string }
  | { readonly session: string; readonly id?: string }

/** Keeps a note, in place of an older one of the same session. Only its user can read it. */
export async function saveNote(note: RunNote, host: Host): Promise<void> {
  await inStateFolder(host, async (state) => {
    await makePrivateFolder(state, host)
    const folder = notesFolder(host)
    await makePrivateFolder(folder, host)
    await savePrivateFile(join(folder, nameOfNote({ ...note, name: note.session, file: note.file })), formatNote(note))
    await removeOld(folder)
  })
}

/** Returns the notes that are wanted, the newest first. What is no note is left out. */
export async function readNotes(wanted: Wanted, host: Host): Promise<RunNote[]> {
  return inStateFolder(host, async () => {
    const folder = notesFolder(host)
    const names = (await listNotes(folder)).filter((name) => isWanted(name, wanted))
    const notes = await Promise.all(names.map((name) => readNote(join(folder, name))))
    return notes.filter((note) => note !== undefined).sort((one, other) => other.endedAtMs - one.endedAtMs)
  }).catch(() => [])
}

/** Returns the note as text of at most `MAX_NOTE_BYTES`: the first lines of logs are left out until it fits. */
export function formatNote(note: RunNote, maxBytes = MAX_NOTE_BYTES): string {
  for (let most = 400; ; most = Math.floor(most / 2)) {
    const cut = (lines: readonly string[]): string[] => (most === 0 ? [] : lines.slice(-most))
    const text = `${JSON.stringify({
      ...note,
      ...(note.failure && { failure: { ...note.failure, output: cut(note.failure.output) } }),
      servers: note.servers.map((server) => ({ ...server, log: cut(server.log) })),
    })}\n`
    if (Buffer.byteLength(text) <= maxBytes) return text
    if (most === 0) throw new Error('a note of a run is too long even without logs')
  }
}

async function readNote(path: string): Promise<RunNote | undefined> {
  try {
    const stats = await lstat(path)
    if (!stats.isFile() || stats.size > MAX_NOTE_BYTES) return undefined
    const parsed = runNote.safeParse(JSON.parse(await readFile(path, 'utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

function isWanted(name: string, wanted: Wanted): boolean {
  const [, key, session, id] = NOTE_NAME.exec(name) ?? []
  if ('session' in wanted) return session === wanted.session && (wanted.id ?? id) === id
  return key === keyOfFleet(wanted)
}

async function listNotes(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException): string[] => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return names.filter((name) => NOTE_NAME.test(name))
}

async function removeOld(folder: string): Promise<void> {
  const found = await Promise.all(
    (await listNotes(folder)).map(async (name) => {
      const stats = await lstat(join(folder, name)).catch(() => undefined)
      return { name, key: name.slice(0, 16), atMs: stats?.mtimeMs ?? 0 }
    }),
  )
  const newest = found.sort((one, other) => other.atMs - one.atMs)
  const counts = new Map<string, number>()
  const old = newest.filter(({ key }, index) => {
    const count = (counts.get(key) ?? 0) + 1
    counts.set(key, count)
    return count > MOST_OF_FLEET || index >= MOST_OF_ALL
  })
  await Promise.all(old.map(({ name }) => rm(join(folder, name), { force: true })))
}
