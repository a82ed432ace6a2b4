import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { idleSession } from '../tests/support/memory-records.ts'
import { currentHost } from './current-host.ts'
import { openEngine } from './engine/open-engine.ts'
import type { Host } from './model/host.ts'
import { say } from './model/surface.ts'
import { openTools } from './open-tools.ts'
import { openContainers } from './runtime/containers/open-containers.ts'
import { openStore } from './sessions/store.ts'

const platform = process.platform

let home = ''
let host: Host

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'testfleet-open-tools-'))
  // Nobody has named an engine, and the folder of this user is empty.
  const environment = { XDG_DATA_HOME: home, XDG_RUNTIME_DIR: home }
  host = { ...currentHost(home), homeFolder: home, environment, userId: 4321 }
  if (platform !== 'linux') return
  const engine = await openEngine('local', host)
  await openStore(openContainers(engine)).create({ ...idleSession, name: 'kept' })
  engine.close()
})

afterAll(() => rm(home, { recursive: true, force: true }))

async function open(name: string | undefined, engine?: string): Promise<string> {
  const session = name === undefined ? undefined : ({ kind: 'named', name, by: '--session' } as const)
  const { signal } = new AbortController()
  const request = { engine, session, isInsecureAllowed: false, archive: undefined, onEvent() {}, signal }
  const tools = await openTools(request, host)
  tools.engine.close()
  return tools.engine.location.because
}

test.skipIf(platform !== 'linux')('a session of the local engine is found without the name of its engine', async () => {
  const because = 'a session of the local engine'
  expect(await open('kept')).toBe(because)
  expect(await open('kept', 'unix:///named.sock')).toBe(say('engine'))
  expect(await open('another')).not.toBe(because)
  expect(await open(undefined)).not.toBe(because)
})
