import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import type { ContainerChange } from '../../../model/container-event.ts'
import { LogWriter } from '../log-writer.ts'
import { Program } from './program.ts'
import { startProgram } from './start-program.ts'

const folder = mkdtempSync(join(tmpdir(), 'program-'))
afterAll(() => rmSync(folder, { recursive: true }))

const limits = { say() {}, signal: new AbortController().signal }
const place = { id: `process-${process.pid}`, folder, userId: process.getuid?.() }
const spec = {
  command: ['sh', '-c', 'if [ -e ok ]; then exec sleep 600; fi; touch ok; exit 3'],
  folder,
  environment: { PATH: process.env.PATH ?? '' },
  ports: [],
  restarts: 5,
  stopSignal: 'SIGTERM',
  stopGraceMs: 60_000,
} as const

describe.runIf(process.platform === 'linux')('a program', () => {
  test('that is being restarted is stopped', async () => {
    const changes: ContainerChange[] = []
    const program = new Program(spec, {
      ...{ ...place, log: new LogWriter(folder) },
      note: (change) => void changes.push(change),
      onOutput() {},
    })
    await program.start()
    while (!program.describe().isRestarting) await setTimeout(1)
    while (program.describe().isRestarting) await setImmediate()
    expect(await program.stop(60_000)).toBe(false)
    expect(program.describe()).toMatchObject({ state: 'exited', processId: undefined, restarts: 1 })
    // The stop can come before the second start or after it.
    expect(changes.map(({ kind }) => kind).join()).toMatch(/^started,exited(?:,started,exited)?$/)
  })

  test('that is stopped while it is being started does not run', async () => {
    const host = { ...place, log: new LogWriter(folder), note() {}, onOutput() {} }
    const program = new Program({ ...spec, command: ['touch', 'started'] }, host)
    const starting = expect(program.start()).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    expect(await program.stop(0)).toBe(false)
    await starting
    expect(program.describe()).toMatchObject({ state: 'created', processId: undefined })
    expect(existsSync(join(folder, 'started'))).toBe(false)
  })

  test('is not given names once it is stopped, and its log does not say that they are missing', async () => {
    const db = { server: 'db', names: ['db.shop.test', 'db'], address: '127.0.0.1', endpoints: {} }
    const names = { domain: 'shop.test', servers: [db], nodeHookFile: '/none', groupId: process.getgid?.() }
    const surroundings = {
      environment: spec.environment,
      workingFolder: folder,
      temporaryFolder: folder,
      userId: place.userId,
    }
    const said: string[] = []
    const { reachByName } = await import('./reach-by-name.ts')
    const stopped = AbortSignal.abort(new Error('stopped'))
    const reaching = reachByName({ path: '/bin/true', words: [] }, names, surroundings, {
      say: (line) => said.push(line),
      signal: stopped,
    })
    await expect(reaching).rejects.toThrow('stopped')
    expect(said.filter((line) => line.startsWith('the program does not know'))).toEqual([])
  })

  test('that would get more than the system allows is refused, with the name of what is too long', async () => {
    const environment = { ...spec.environment, LONG: 'x'.repeat(140_000) }
    await expect(startProgram({ ...spec, environment }, place, limits)).rejects.toMatchObject({
      code: 'START_FAILED',
      message: 'its arguments and variables are too long for this system; the longest is LONG, with 140000 bytes',
    })
  })
})
