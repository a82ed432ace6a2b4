import { Readable } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { pack } from '../../src/engine/conformance/harness.ts'
import type { Engine } from '../../src/engine/engine.ts'
import { label } from '../../src/model/labels.ts'
import { openContainers } from '../../src/runtime/containers/open-containers.ts'
import { cleanUp } from '../../src/sessions/keeper/clean-up.ts'
import { ownHolder } from '../../src/sessions/keeper/client.ts'
import { readMachine } from '../../src/sessions/processes.ts'
import { openStore, type StoredRecord } from '../../src/sessions/store.ts'
import type { SessionTools } from '../../src/sessions/tools.ts'
import { undoChange } from '../../src/sessions/undo-change.ts'
import { countLeftovers, withEngine } from '../support/command.ts'
import { expectPutBack, tellOf } from '../support/holds.ts'
import { Testfleet } from '../support/library.ts'
import { base, endFleets, makeFleet, readError, sleeper, type TestFleet } from '../support/test-fleet.ts'

afterAll(endFleets)

function openTools(engine: Engine): SessionTools {
  const runtime = openContainers(engine)
  return { runtime, sessions: openStore(runtime), onEvent() {}, signal: new AbortController().signal }
}

async function findRecord(fleet: TestFleet, { sessions }: SessionTools): Promise<StoredRecord> {
  const record = (await sessions.list()).sessions.find((one) => one.fleet === fleet.name)
  if (record === undefined) throw new Error(`there is no session of ${fleet.name}`)
  return record
}

describe('the record of a session', () => {
  test('can get another name, under which the same containers are found', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up'])
    const before = await tellOf(fleet)
    const name = `${fleet.name}-renamed`
    await withEngine(async (engine) => {
      const tools = openTools(engine)
      const record = await findRecord(fleet, tools)
      expect(await tools.sessions.replace(record, { ...record, name })).toMatchObject({ name, id: record.id })
    })
    expect(await tellOf(fleet, name)).toEqual({ ...before, session: name })
    const library = new Testfleet({ folder: fleet.folder })
    expect(await library.exec('web', ['echo', 'here'], { session: name })).toMatchObject({ stdout: 'here\n' })
    // The checkout is the same.
    expect((await fleet.run(['plan'])).stdout).toBe(`session ${name}\n  keep    web\nNothing to do.\n`)
    await expect(tellOf(fleet, fleet.name)).rejects.toMatchObject({ code: 'NO_SESSION' })
    expect((await fleet.run(['down', '--session', name])).stdout).toContain(`session ${name}: removed 1 server`)
    expect(await countLeftovers(name)).toBe(0)
    expect(await countLeftovers(fleet.name)).toBe(0)
  })

  test('can get and lose holders, while the containers stay', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up'])
    const before = await tellOf(fleet)
    const give = (lifetime: StoredRecord['lifetime']) =>
      withEngine(async (engine) => {
        const tools = openTools(engine)
        await tools.sessions.update((await findRecord(fleet, tools)).id, (now) => ({ ...now, lifetime }))
      })
    await give({ kind: 'held', holders: [ownHolder(process.pid)], keeper: undefined })
    const { sessions } = JSON.parse((await fleet.run(['ps', '--all', '--json'])).stdout)
    const heldBy = [expect.stringMatching(new RegExp(`^process ${process.pid} of `))]
    expect(sessions).toContainEqual(expect.objectContaining({ session: fleet.name, heldBy, state: 'up' }))
    expect(readError(await fleet.run(['up', '--json']))).toMatchObject({ code: 'SESSION_BUSY' })
    await give({ kind: 'lasting' })
    expect(await fleet.run(['up'])).toMatchObject({ exitCode: 0 })
    expect(await tellOf(fleet)).toEqual(before)
    await fleet.run(['down'])
  })

  test('with the same path on another machine is another session, and is left alone', async () => {
    const fleet = await makeFleet([`web: ${sleeper}`])
    await fleet.run(['up'])
    const before = await tellOf(fleet)
    await withEngine(async (engine) => {
      const tools = openTools(engine)
      const record = await findRecord(fleet, tools)
      await tools.sessions.replace(record, { ...record, machine: { ...readMachine(), id: 'another' } })
    })
    const { stdout, exitCode } = await fleet.run(['up', '--json'], { timeoutMs: 20_000 })
    expect(exitCode).toBe(0)
    const { session } = JSON.parse(stdout)
    expect(session).toMatch(new RegExp(`^${fleet.name}-[0-9a-f]{4}$`))
    expect(await tellOf(fleet, fleet.name)).toEqual(before)
    for (const one of [session, fleet.name]) await fleet.run(['down', '--session', one])
    expect(await countLeftovers(fleet.name)).toBe(0)
  })
})

test('undoing a change of a dead call also removes its unfinished images, with a name or without', async () => {
  const fleet = await makeFleet([`web: ${sleeper}`])
  await fleet.run(['up'])
  const before = await tellOf(fleet)
  await withEngine(async (engine) => {
    const tools = openTools(engine)
    const record = await findRecord(fleet, tools)
    const id = `${record.id}ff`
    const of = async (labels: Record<string, string>, tag: string): Promise<void> => {
      const context = Readable.from([await pack({ Dockerfile: `FROM ${base}\n` })])
      await engine.buildImage({ tags: [tag], labels, dockerfile: 'Dockerfile', context })
    }
    const labels = { [label.change]: id, [label.fleet]: fleet.name }
    const tag = `testfleet/${fleet.name}-web:1`
    await of({ ...labels, which: 'unnamed' }, tag)
    await of({ ...labels, which: 'named' }, tag)
    expect((await engine.listImages(labels)).map(({ references }) => references.length).sort()).toEqual([0, 1])
    const dead = { machine: readMachine(), process: { pid: 2 ** 22, startedAt: '1' } }
    const change = {
      id,
      by: dead,
      keeper: undefined,
      isFirst: false,
      stage: 'making',
      replaced: [],
      starting: {},
    } as const
    const changing = await tools.sessions.replace(record, { ...record, change })
    if (changing === undefined) throw new Error('nobody else has changed it')
    expect(await undoChange(changing, tools, { recheckMs: 0 })).toMatchObject({ servers: [], back: [] })
    expect(await engine.listImages(labels)).toEqual([])
    expect((await tools.sessions.find(record.id))?.change).toBeUndefined()
  })
  await expectPutBack(fleet, before)
  await fleet.run(['down'])
})

test('a keeper removes what its own call created after another call took the session down', async () => {
  const fleet = await makeFleet([`web: ${sleeper}`])
  await withEngine(async (engine) => {
    const { runtime } = openTools(engine)
    const order = {
      id: '0a1b2c3d',
      session: fleet.name,
      change: 'c0ffee00',
      endpoint: engine.location.endpoint,
      socket: '',
    }
    const labels = { [label.session]: order.id, [label.fleet]: fleet.name, [label.change]: order.change }
    await runtime.createNetwork(`${fleet.name}-${order.id}`, labels)
    await runtime.createVolume(`${fleet.name}-${order.id}`, labels)
    await cleanUp(order)
    expect(await runtime.observe(labels)).toEqual({ servers: [], networks: [], volumes: [] })
  })
})
