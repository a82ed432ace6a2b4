import { expect, test } from 'vitest'
import { type ContainerSpec, type PublishedPort, plainContainer } from '../model/container.ts'
import { label } from '../model/labels.ts'
import { reachContainer } from './containers/open-containers.ts'
import type { Runtime } from './runtime.ts'
import { describeExternal, isExternal, withExternal } from './with-external.ts'

const port = (container: number, number: number, address = '::1'): PublishedPort => {
  return { container, protocol: 'tcp', address, port: number }
}
const spec = (external: readonly PublishedPort[] | undefined): ContainerSpec => ({
  ...plainContainer,
  ...{ name: 'x', image: '', hostname: 'h', network: { name: '', aliases: [] }, external },
  labels: { [label.server]: 'my-db', [label.change]: '0a1b2c3d' },
})
const asked: string[] = []
const engine = {
  createServer: async () => 'container',
  startServer: async (id: string) => void asked.push(id),
  reach: (server: Parameters<Runtime['reach']>[0], ports: Parameters<Runtime['reach']>[1]) =>
    reachContainer(server, ports, 'engine.example'),
} as unknown as Runtime
const runtime = withExternal(engine)

test('only containers are created and started by the engine', async () => {
  for (const external of [undefined, [port(80, 8080)]])
    await runtime.startServer(await runtime.createServer(spec(external)))
  expect(asked).toEqual(['container'])
})

test('the id of an external server says what it is and where', async () => {
  const id = await runtime.createServer(spec([port(80, 8080), port(81, 81, 'db.staging')]))
  expect([isExternal(id), isExternal('0a1b')]).toEqual([true, false])
  const server = describeExternal(id, { url: 'http://h', digest: 'd' })
  expect(server).toMatchObject({ state: 'running', image: 'http://h', labels: { [label.server]: 'my-db' } })
  const ports = [80, 81, 82].map(
    (container) => ({ container, protocol: 'tcp', host: undefined, address: undefined }) as const,
  )
  const { isRemote, ip, reachableIp, endpoints, direct } = runtime.reach(server, ports)
  expect({ isRemote, ip, reachableIp }).toEqual({ isRemote: false, ip: '', reachableIp: undefined })
  expect(Object.fromEntries(endpoints)).toEqual({
    '80/tcp': { host: '::1', port: 8080 },
    '81/tcp': { host: 'db.staging', port: 81 },
  })
  expect([direct(80), direct(82)]).toEqual([{ host: '::1', port: 8080 }, undefined])
  expect(await runtime.inspectServer(id)).toMatchObject({ id, state: 'running', exitCode: undefined })
})

test('stopping and removing one does nothing, and what needs a container is refused', async () => {
  const id = await runtime.createServer(spec([port(80, 8080)]))
  const server = { id, labels: {}, state: 'running' } as const
  await runtime.stopServer(server)
  await runtime.removeServer(server)
  const refused = {
    code: 'ENGINE_REFUSED',
    server: 'my-db',
    message: expect.stringMatching(/^my-db .*: it is an external server$/),
  }
  await expect(runtime.exec(id, { command: ['a'] })).rejects.toMatchObject(refused)
  await expect(runtime.killServer(id, 'SIGHUP')).rejects.toMatchObject(refused)
  await expect(runtime.readArchive(id, '/')[Symbol.asyncIterator]().next()).rejects.toMatchObject(refused)
})

test('waiting for its end ends with the call', async () => {
  const stop = new AbortController()
  const waiting = runtime.waitServer(await runtime.createServer(spec([])), { signal: stop.signal })
  stop.abort(new Error('over'))
  await expect(waiting).rejects.toThrow('over')
})
