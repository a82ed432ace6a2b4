import { describe, expect, test } from 'vitest'
import type { Harness } from './harness.ts'

export function describeNetworks(open: () => Harness): void {
  describe('a network', () => {
    test('resolves all names of its containers', async () => {
      const { engine, start, idle, name, shell, network } = open()
      const aliases = ['db', 'db.fleet.test', 'other-name']
      const server = await start({ name: name(), network: { name: network, aliases } })
      const { networks } = await engine.inspectContainer(server)
      const ip = networks[0]?.ip ?? ''
      expect(networks).toMatchObject([
        { name: network, ip: expect.stringMatching(/^\d+\./), gateway: expect.any(String) },
      ])
      const { stdout } = await shell(await idle(), aliases.map((alias) => `getent hosts ${alias}`).join('; '))
      expect(stdout.split('\n').map((line) => line.split(/\s+/)[0])).toEqual([ip, ip, ip, ''])
    })

    test('can be created after a container that it connects, if the engine says so', async () => {
      const { engine, spec, name, labels } = open()
      const network = name()
      const creating = engine.createContainer(spec({ network: { name: network, aliases: [] } }))
      if (!(await engine.createsBeforeNetwork())) return expect(creating).rejects.toThrow()
      const container = await creating
      await engine.createNetwork(network, labels)
      await engine.startContainer(container)
      const { networks } = await engine.inspectContainer(container)
      expect(networks).toMatchObject([{ name: network, ip: expect.stringMatching(/^\d+\./) }])
    })

    test('is found by its labels', async () => {
      const { engine, name, labels } = open()
      const wanted = { ...labels, found: name() }
      const id = await engine.createNetwork(wanted.found, wanted)
      expect(await engine.listNetworks(wanted)).toEqual([
        { id, name: wanted.found, labels: wanted, createdAtMs: expect.any(Number) },
      ])
    })

    test('with a taken name fails with NAME_TAKEN', async () => {
      const { engine, network, labels } = open()
      await expect(engine.createNetwork(network, labels)).rejects.toMatchObject({ code: 'NAME_TAKEN' })
    })

    test('can be removed', async () => {
      const { engine, name, labels } = open()
      const id = await engine.createNetwork(name(), labels)
      await engine.removeNetwork(id)
      await engine.removeNetwork(id)
    })

    test('in use cannot be removed', async () => {
      const { engine, idle, network } = open()
      await idle()
      await expect(engine.removeNetwork(network)).rejects.toMatchObject({ code: 'ENGINE_REFUSED' })
    })
  })
}
