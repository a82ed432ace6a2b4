import { afterAll, expect, test, vi } from 'vitest'
import { countLeftovers, listRecords, SOON_MS, withEngine } from '../support/command.ts'
import { startRun } from '../support/holds.ts'
import { askEngine } from '../support/raw-engine.ts'
import { labelsOf, makeStrangers } from '../support/strangers.ts'
import { endFleets, foreignContainer, makeFleet, server, sleeper } from '../support/test-fleet.ts'

afterAll(endFleets)

const mark = { 'dev.testfleet.foreign': 'foreign' }

/** In the two sessions of each pair, session and server, or session and volume, read the same one after the other. */
test('similar names of sessions and servers never collide, and objects of others are left alone', async () => {
  const keeps = (volume: string): string =>
    server({ command: ['sleep', '600'], mounts: [{ volume, to: '/data', writable: true }] })
  const fleet = await makeFleet([`b: ${keeps('b-c')}`, `a-b: ${keeps('c')}`])
  const { name } = fleet
  const network = await withEngine(async (engine) => {
    await engine.createContainer(foreignContainer(`${name}-a-b`))
    await engine.createVolume(`${name}-a-b-c`, mark)
    return engine.createNetwork(`${name}-a`, mark)
  })
  try {
    const sessions = [
      [name, 'a-b'],
      [`${name}-a`, 'b'],
      [`${name}-a-b`, 'a-b'],
    ] as const
    for (const [session, own] of sessions) {
      expect(await fleet.run(['up', own, '--session', session])).toMatchObject({ exitCode: 0 })
      const write = ['exec', own, '--session', session, '--', 'sh', '-c', `echo ${session} >> /data/who`]
      expect(await fleet.run(write)).toMatchObject({ exitCode: 0 })
    }
    for (const [session, own] of sessions) {
      const { stdout } = await fleet.run(['exec', own, '--session', session, '--', 'cat', '/data/who'])
      expect(stdout).toBe(`${session}\n`)
      expect((await fleet.run(['plan', own, '--session', session])).stdout).toContain('Nothing to do.')
    }
    const { Name } = (await askEngine('GET', `/volumes/${name}-a-b-c`)) as { Name: string }
    expect((await askEngine('GET', `/containers/json?all=1&filters={"volume":["${Name}"]}`)) as object[]).toEqual([])
    for (const [session] of sessions) await fleet.run(['down', '--session', session])
    expect(await countLeftovers(name)).toBe(0)
    await withEngine(async (engine) => {
      expect(await engine.inspectContainer(`${name}-a-b`)).toMatchObject({ state: 'created', labels: mark })
      expect(await engine.listVolumes(mark)).toContainEqual(expect.objectContaining({ name: `${name}-a-b-c` }))
      expect(await engine.listNetworks(mark)).toContainEqual(expect.objectContaining({ id: network }))
    })
  } finally {
    await withEngine(async (engine) => {
      await engine.removeContainer(`${name}-a-b`)
      await engine.removeVolume(`${name}-a-b-c`)
      await engine.removeNetwork(network)
    })
  }
})

test('objects with the labels of a session but the wrong names are never shown, changed or removed', async () => {
  const fleet = await makeFleet([`web: ${server({ command: ['sleep', '600'], export: { NAME: '${hostname}' } })}`])
  await fleet.run(['up'])
  const labels = await labelsOf(fleet.name)
  await using strangers = await makeStrangers(labels)
  const looks = [
    ['ps', '--json'],
    ['endpoints', '--format', 'json'],
    ['plan'],
    ['ps', '--all', '--json'],
    ['prune', '--dry-run', '--all'],
  ]
  const look = () => Promise.all(looks.map(async (words) => (await fleet.run(words)).stdout))
  const [session, variables, plan, all, prune] = await look()
  expect(Object.keys(JSON.parse(session ?? '').servers)).toEqual(['web'])
  expect(JSON.parse(variables ?? '')).toMatchObject({ NAME: `web.${fleet.name}.test` })
  expect(plan).toContain('Nothing to do.')
  const summary = { session: fleet.name, servers: 1, running: 1 }
  expect(JSON.parse(all ?? '').sessions).toContainEqual(expect.objectContaining(summary))
  expect(prune).toMatch(new RegExp(`${fleet.name}.*1 server, 1 network`))
  expect((await fleet.run(['down'])).stdout).toContain(`session ${fleet.name}: removed 1 server, 1 network\n`)
  expect(await strangers.count()).toBe(3)
  // Their session has no record any more.
  const id = labels['dev.testfleet.session'] ?? ''
  expect(id).toMatch(/^[0-9a-f]{8}$/)
  expect((await fleet.run(['prune', '--dry-run', '--all'])).stdout).not.toContain(id)
  expect(await strangers.count()).toBe(3)
})

test('the keeper of a killed call does not remove objects with the labels of its session but the wrong names', async () => {
  const fleet = await makeFleet([`web: ${sleeper}`])
  const { command } = await startRun(fleet)
  await using strangers = await makeStrangers(await labelsOf(fleet.name))
  command.killGroup('SIGKILL')
  await command.result
  await vi.waitUntil(async () => !(await listRecords()).some(({ fleet: name }) => name === fleet.name), SOON_MS)
  expect(await strangers.count()).toBe(3)
})
