import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { idleSession } from '../../tests/support/memory-records.ts'
import { currentHost } from '../current-host.ts'
import { Recorder } from '../failure/recorder.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Tools } from '../tools.ts'
import { noteFailure } from './note-failure.ts'
import { readNotes } from './notes.ts'

test('a failed start is noted, unless it is that of a standby copy', async () => {
  const state = await mkdtemp(join(tmpdir(), 'testfleet-note-failure-'))
  const host = { ...currentHost(tmpdir()), environment: { TESTFLEET_STATE_DIR: state } }
  const cancelSignal = new AbortController().signal
  const tools = { host, recorder: new Recorder(), cancelSignal } as unknown as Tools
  const error = new TestfleetError('PULL_FAILED', 'the image cannot be pulled')
  await noteFailure(error, { ...idleSession, id: '00000001' }, tools)
  await noteFailure(error, { ...idleSession, id: '00000002', isStandby: true }, tools)
  expect((await readNotes({ session: 'shop' }, host)).map(({ id }) => id)).toEqual(['00000001'])
  await rm(state, { recursive: true })
})
