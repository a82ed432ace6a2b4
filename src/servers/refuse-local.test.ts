import { expect, test } from 'vitest'
import type { EngineLocation } from '../engine/engine.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { refuseOnLocal } from './refuse-local.ts'

const fleet = { source: { file: 'f', locate: (path) => ({ file: path.join('.') }) } } as Fleet
const at = (endpoint: EngineLocation['endpoint']): EngineLocation => {
  return { url: '', because: '', remoteHost: undefined, endpoint }
}
const local = at({ kind: 'local', folder: '/store' })
const docker = at({ kind: 'socket', path: '/run/docker.sock' })

function server(platform: string | undefined, engineSocket = false): Server {
  return { name: 'a', platform, unsafe: { engineSocket } } as unknown as Server
}

test('the local engine has no socket for servers', () => {
  const failure = {
    code: 'ENGINE_CONFIGURATION',
    message: "a asks for the engine's socket, but the local engine has none",
    at: { file: 'servers.a.unsafe.engineSocket' },
  }
  expect(() => refuseOnLocal([server(undefined, true)], fleet, local)).toThrow(expect.objectContaining(failure))
  refuseOnLocal([server(undefined, true)], fleet, docker)
})

test('the local engine runs programs of this processor only', () => {
  const refuse = (platform: string, processor: string) => () =>
    refuseOnLocal([server(platform)], fleet, local, processor)
  const failure = { code: 'ENGINE_CONFIGURATION', at: { file: 'servers.a.platform' } }
  expect(refuse('linux/arm64', 'x64')).toThrow(expect.objectContaining(failure))
  expect(refuse('windows/amd64', 'x64')).toThrow(expect.objectContaining(failure))
  refuse('linux/amd64', 'x64')()
  refuse('linux/arm64/v8', 'arm64')()
  refuseOnLocal([server('linux/arm64')], fleet, docker, 'x64')
})
