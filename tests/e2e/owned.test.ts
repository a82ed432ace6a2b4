import { afterAll, expect, test } from 'vitest'
import { countLeftovers, withEngine } from '../support/command.ts'
import { askEngine } from '../support/raw-engine.ts'
import { endFleets, foreignContainer, makeFleet, server } from '../support/test-fleet.ts'

afterAll(endFleets)

const mark = { 'dev.testfleet.foreign': 'foreign' }

/** In the two sessions of each pair, session and server, or session and volume, read the same one after the other. */
test('sessions share no name, and take over nothing of anybody', async () => {
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
