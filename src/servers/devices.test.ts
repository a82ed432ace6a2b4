import { expect, test } from 'vitest'
import type { EngineLocation } from '../engine/engine.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import { explainDevice, refuseMissingDevices } from './devices.ts'

const fleet = { source: { file: 'f', locate: (path) => ({ file: path.join('.') }) } } as Fleet
const server = {
  name: 'a',
  devices: ['/dev/there', '/dev/gone'].map((host) => ({ host, container: host, permissions: 'rwm' })),
} as unknown as Server
const socket = { endpoint: { kind: 'socket', path: '/run/docker.sock' } } as const
const tcp = { endpoint: { kind: 'tcp' } } as unknown as Pick<EngineLocation, 'endpoint'>

test('a device that does not exist is refused before anything is created, if the engine is on this machine', () => {
  const refuse = (where: Pick<EngineLocation, 'endpoint'>, platform: NodeJS.Platform, ...there: string[]) => {
    return () => refuseMissingDevices([server], fleet, where, platform, (path) => there.includes(path))
  }
  expect(refuse(socket, 'linux', '/dev/there')).toThrow(
    expect.objectContaining({
      code: 'FLEET_FILE_INVALID',
      message: 'a: this machine has no device /dev/gone',
      at: { file: 'servers.a.devices.1' },
    }),
  )
  expect(refuse(socket, 'linux', '/dev/there', '/dev/gone')).not.toThrow()
  for (const [where, platform, ...there] of [
    [tcp, 'linux'],
    [socket, 'darwin'],
    [socket, 'linux', '/.dockerenv'],
  ] as const)
    expect(refuse(where, platform, ...there)).not.toThrow()
})

test("the engine's message about a device becomes a failure with a line in the fleet file", () => {
  const words = (host: string, why: string) =>
    `the container could not be started: error gathering device information while adding custom device "${host}": ${why}`
  expect(explainDevice(words('/dev/gone', 'no such file or directory'), server, fleet)).toMatchObject({
    code: 'START_FAILED',
    message: "a: the engine's machine has no device /dev/gone",
    at: { file: 'servers.a.devices.1' },
  })
  expect(explainDevice(words('/dev/there', 'not a device node'), server, fleet)?.message).toBe(
    'a: /dev/there is not a device',
  )
  expect(explainDevice(words('/dev/other', 'x'), server, fleet)).toBeUndefined()
  expect(explainDevice('something else', server, fleet)).toBeUndefined()
})
