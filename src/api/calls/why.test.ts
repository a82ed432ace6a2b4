import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { currentHost } from '../../current-host.ts'
import { speakAs } from '../../model/surface.ts'
import { saveNote } from '../../why/notes.ts'
import { Testfleet } from '../testfleet.ts'

let folder: string
let client: Testfleet

beforeEach(async () => {
  speakAs('command')
  folder = await mkdtemp(join(tmpdir(), 'testfleet-why-'))
  vi.stubEnv('TESTFLEET_STATE_DIR', join(folder, 'state'))
  client = new Testfleet({ folder, engine: `unix://${folder}/none.sock` })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

test('the name of a fleet that was given as an object means its last run', async () => {
  const note = { version: 1 as const, session: 'shop-1a2b3c', id: '00000001', fleet: 'shop', endedAtMs: 1, servers: [] }
  await saveNote(note, currentHost(folder))
  expect(await client.why({ session: 'shop' })).toMatchObject({ session: 'shop-1a2b3c', fleet: 'shop', causes: [] })
})

test('the notes of a session come before those of a fleet of the same name', async () => {
  const note = { version: 1 as const, session: 'shop', id: '00000001', fleet: 'other', endedAtMs: 1, servers: [] }
  await saveNote(note, currentHost(folder))
  await saveNote({ ...note, session: 'shop-1a2b3c', id: '00000002', fleet: 'shop', endedAtMs: 2 }, currentHost(folder))
  expect(await client.why({ session: 'shop' })).toMatchObject({ session: 'shop', fleet: 'other' })
})

test('without a fleet file, the hint says how to name a fleet that was given as an object', async () => {
  await expect(client.why()).rejects.toMatchObject({
    code: 'FLEET_FILE_NOT_FOUND',
    hint: expect.stringContaining('If a program gives the fleet as an object, name it with --session FLEET.'),
  })
})
