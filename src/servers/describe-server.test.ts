import { expect, test } from 'vitest'
import { loadText } from '../../tests/support/load-text.ts'
import type { EngineLocation } from '../engine/engine.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { label } from '../model/labels.ts'
import {
  describeContainer,
  desireServer,
  findEngineSocket,
  refuseEngineSocket,
  type SessionSettings,
} from './describe-server.ts'

const location = (endpoint: EngineLocation['endpoint']): EngineLocation => ({
  url: 'tcp://127.0.0.1:2375',
  because: 'DOCKER_HOST',
  remoteHost: undefined,
  endpoint,
})
const socket = location({ kind: 'socket', path: '/run/user/1/docker.sock' })
const tcp = location({ kind: 'tcp', host: '127.0.0.1', port: 2375, basePath: '', tls: undefined })

test('the mounted socket is the one of the engine, or of the virtual machine that the engine runs in', () => {
  expect(findEngineSocket(socket, 'linux')).toBe('/run/user/1/docker.sock')
  expect(findEngineSocket(socket, 'darwin')).toBe('/var/run/docker.sock')
  expect(findEngineSocket(socket, 'win32')).toBeUndefined()
  expect(findEngineSocket(tcp, 'linux')).toBeUndefined()
})

test('a server that asks for the socket of an engine without one is refused at its place in the fleet file', () => {
  const server = (name: string, engineSocket: boolean): Server =>
    ({ name, unsafe: { privileged: false, engineSocket, newPrivileges: false } }) as Server
  const fleet = { source: { file: 'f', locate: (path) => ({ file: path.join('.') }) } } as Fleet
  refuseEngineSocket([server('a', false)], fleet, tcp)
  expect(() => refuseEngineSocket([server('a', false), server('b', true)], fleet, tcp)).toThrow(
    expect.objectContaining({
      code: 'ENGINE_CONFIGURATION',
      server: 'b',
      message: "b asks for the engine's socket, but the engine is reached at tcp://127.0.0.1:2375",
      at: { file: 'servers.b.unsafe.engineSocket' },
    }),
  )
})

test('a process has its command, its ports on loopback, and time to stop', async () => {
  const fleet = await loadText('servers:\n  app: { process: [npm, start], ports: [3000], stopGracePeriod: 3s }\n')
  const app = fleet.servers.get('app') as Server
  const settings = { session: 's', change: 'c', sessionId: 'i', owner: 'o', bind: 'free' } as SessionSettings
  const spec = describeContainer(app, fleet, '', settings, 'd')
  expect(spec).toMatchObject({
    ...{ image: '', process: { command: ['npm', 'start'], folder: fleet.folder }, stopSignal: 'SIGTERM', mounts: [] },
    ports: [{ container: 3000, host: 3000, address: '127.0.0.1', protocol: 'tcp' }],
    labels: { [label.stopSignal]: 'SIGTERM', [label.stopGrace]: '3000', [label.digest]: 'd', [label.server]: 'app' },
  })
  const image = { desired: { kind: 'none' }, identity: '' } as const
  const withCertificates = { ...settings, authority: { fingerprint: '', endsAtMs: 0 } }
  expect(desireServer(app, fleet, image, withCertificates).needsFiles).toBe(false)
})
