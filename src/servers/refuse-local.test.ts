import { expect, test } from 'vitest'
import type { EngineLocation } from '../engine/engine.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { refuseOnLocal } from './refuse-local.ts'

const locate = (path: readonly unknown[]) => ({ file: path.join('.') })
const fleet = { source: { file: 'f', locate, originOf: () => 'file' } } as unknown as Fleet
const at = (endpoint: EngineLocation['endpoint']): EngineLocation => {
  return { url: '', because: '', remoteHost: undefined, endpoint }
}
const local = at({ kind: 'local', folder: '/store' })
const docker = at({ kind: 'socket', path: '/run/docker.sock' })

function server(platform: string | undefined, engineSocket = false): Server {
  return { name: 'a', platform, limits: {}, unsafe: { engineSocket } } as unknown as Server
}

test('the local engine has no socket for servers', () => {
  const failure = {
    code: 'ENGINE_CONFIGURATION',
    message: "a asks for the engine's socket, but the local engine has none",
    at: { file: 'servers.a.unsafe.engineSocket' },
  }
  expect(() => refuseOnLocal([server(undefined, true)], fleet, local, { userId: 0 })).toThrow(
    expect.objectContaining(failure),
  )
  refuseOnLocal([server(undefined, true)], fleet, docker, { userId: 0 })
})

test('the local engine runs programs of this processor only', () => {
  const refuse = (platform: string, processor: string) => () =>
    refuseOnLocal([server(platform)], fleet, local, { userId: 0, processor })
  const failure = { code: 'ENGINE_CONFIGURATION', at: { file: 'servers.a.platform' } }
  expect(refuse('linux/arm64', 'x64')).toThrow(expect.objectContaining(failure))
  expect(refuse('windows/amd64', 'x64')).toThrow(expect.objectContaining(failure))
  refuse('linux/amd64', 'x64')()
  refuse('linux/arm64/v8', 'arm64')()
  refuseOnLocal([server('linux/arm64')], fleet, docker, { userId: 0, processor: 'x64' })
})

test('the local engine of an ordinary user sets no limits of memory and processors', () => {
  const limited = { ...server(undefined), limits: { memoryBytes: 64 << 20 } }
  const failure = { code: 'ENGINE_CONFIGURATION', at: { file: 'servers.a.limits.memory' } }
  expect(() => refuseOnLocal([limited], fleet, local, { userId: 1000 })).toThrow(expect.objectContaining(failure))
  refuseOnLocal([{ ...limited, limits: { pids: 10 } }], fleet, local, { userId: 1000 })
  refuseOnLocal([limited], fleet, local, { userId: 0 })
  const preset = { ...fleet, source: { ...fleet.source, originOf: () => 'catalogue' } } as unknown as Fleet
  refuseOnLocal([limited], preset, local, { userId: 1000 })
  refuseOnLocal([limited], fleet, docker, { userId: 1000 })
})
