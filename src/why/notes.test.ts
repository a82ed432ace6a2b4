import { chmod, mkdtemp, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { currentHost } from '../current-host.ts'
import type { Host } from '../model/host.ts'
import type { RunNote } from '../model/run-note.ts'
import { forgetNote, nameOfNote, notesFolder } from './note-file.ts'
import { formatNote, MAX_NOTE_BYTES, readNotes, saveNote } from './notes.ts'

let host: Host
let state: string
const file = '/home/me/shop/testfleet.yaml'
const note = (number: number, more: Partial<RunNote> = {}): RunNote => ({
  ...{ version: 1, session: 'shop', id: number.toString(16).padStart(8, '0'), fleet: 'shop', file },
  ...{ endedAtMs: number, servers: [], ...more },
})
const pathOf = (one: RunNote): string =>
  join(notesFolder(host), nameOfNote({ ...one, name: one.session, file: one.file }))

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'testfleet-notes-'))
  host = { ...currentHost(tmpdir()), environment: { TESTFLEET_STATE_DIR: state } }
})
afterEach(() => rm(state, { recursive: true }))

test('a note is read back by its file, its session, and its fleet when it has no file', async () => {
  await saveNote(note(1), host)
  await saveNote(note(2, { session: 'shop-1a2b3c' }), host)
  await saveNote(note(3, { session: 'other', file: undefined }), host)
  const read = async (wanted: Parameters<typeof readNotes>[0]) =>
    (await readNotes(wanted, host)).map((one) => one.endedAtMs)
  expect(await read({ file })).toEqual([2, 1])
  expect(await read({ session: 'shop' })).toEqual([1])
  expect(await read({ session: 'other' })).toEqual([3])
  expect(await read({ fleet: 'shop' })).toEqual([3])
  expect(await read({ file: '/elsewhere' })).toEqual([])
})

test('only its user can read a note, and a second one of a session replaces the first', async () => {
  await saveNote(note(1), host)
  await saveNote({ ...note(1), endedAtMs: 5 }, host)
  expect((await stat(pathOf(note(1)))).mode & 0o777).toBe(0o600)
  expect((await stat(notesFolder(host))).mode & 0o777).toBe(0o700)
  expect(await readNotes({ file }, host)).toMatchObject([{ endedAtMs: 5 }])
})

test('the newest five notes of a fleet are kept, and those of other fleets', async () => {
  await saveNote(note(99, { file: '/other' }), host)
  await utimes(pathOf(note(99, { file: '/other' })), 1, 1)
  for (const number of [1, 2, 3, 4, 5, 6, 7]) {
    await saveNote(note(number), host)
    await utimes(pathOf(note(number)), number, number)
  }
  expect((await readNotes({ file }, host)).map(({ endedAtMs }) => endedAtMs)).toEqual([7, 6, 5, 4, 3])
  expect(await readNotes({ file: '/other' }, host)).toHaveLength(1)
})

test('a long log loses its first lines until the note fits', () => {
  const log = Array.from({ length: 400 }, (_, index) => `${index} ${'x'.repeat(2000)}`)
  const seen = {
    server: 'db',
    container: 'c',
    state: 'exited',
    isOutOfMemory: false,
    restarts: 0,
    answers: {},
    log,
  } as const
  const text = formatNote(note(1, { servers: [{ ...seen, log }] }))
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_NOTE_BYTES)
  expect(text).toContain('"399 x')
  expect(() => formatNote(note(1, { file: 'x'.repeat(MAX_NOTE_BYTES) }))).toThrow('too long')
})

test('what is no note is left out: other text, other shapes, links, long files', async () => {
  await saveNote(note(1), host)
  const put = (number: number, text: string) => writeFile(pathOf(note(number)), text)
  await put(2, 'no json')
  await put(3, JSON.stringify({ ...note(3), servers: 'none' }))
  await put(4, JSON.stringify({ ...note(4), version: 2 }))
  await put(5, JSON.stringify({ ...note(5), session: '../x' }))
  await put(6, JSON.stringify({ ...note(6), endedAtMs: 1e300 }))
  await put(7, ' '.repeat(MAX_NOTE_BYTES + 1))
  await symlink(pathOf(note(1)), pathOf(note(8)))
  await writeFile(join(notesFolder(host), 'note.json'), JSON.stringify(note(9)))
  expect((await readNotes({ file }, host)).map(({ endedAtMs }) => endedAtMs)).toEqual([1])
})

test('a folder that others can write to is not used', async () => {
  await saveNote(note(1), host)
  await chmod(state, 0o777)
  expect(await readNotes({ file }, host)).toEqual([])
  await expect(saveNote(note(2), host)).rejects.toMatchObject({ code: 'STATE_FOLDER_UNUSABLE' })
})

test('forgetting a note removes that of its session only', async () => {
  await saveNote(note(1), host)
  await saveNote(note(2), host)
  await forgetNote({ ...note(1), name: 'shop', file }, host)
  await forgetNote({ ...note(77), name: 'shop', file }, host)
  expect(await readdir(notesFolder(host))).toHaveLength(1)
})
