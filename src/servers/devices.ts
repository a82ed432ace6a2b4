import { existsSync } from 'node:fs'
import type { EngineLocation } from '../engine/engine.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'

type Exists = (path: string) => boolean

/**
 * Fails with FLEET_FILE_INVALID for a device that the machine does not have, as long as nothing is touched. Only an
 * engine that shares this program's file system has the devices that can be seen here.
 */
export function refuseMissingDevices(
  servers: readonly Server[],
  fleet: Fleet,
  { endpoint }: Pick<EngineLocation, 'endpoint'>,
  platform: NodeJS.Platform,
  exists: Exists = existsSync,
): void {
  const isInContainer = exists('/.dockerenv') || exists('/run/.containerenv')
  if (platform !== 'linux' || endpoint.kind !== 'socket' || isInContainer) return
  for (const server of servers)
    for (const [index, { host }] of server.devices.entries())
      if (!exists(host))
        throw deviceFailure('FLEET_FILE_INVALID', `this machine has no device ${host}`, index, server, fleet)
}

/** The failure to start a server, in words and with its line, where the engine says that it lacks a device. */
export function explainDevice(words: string, server: Server, fleet: Fleet): TestfleetError | undefined {
  const [, host, why] = /gathering device information while adding custom device "([^"]+)": (.*)/.exec(words) ?? []
  const index = server.devices.findIndex((device) => device.host === host)
  if (host === undefined || index < 0) return undefined
  const what = why?.includes('not a device node')
    ? `${host} is no device`
    : `the engine's machine has no device ${host}`
  return deviceFailure('START_FAILED', what, index, server, fleet)
}

function deviceFailure(
  code: 'FLEET_FILE_INVALID' | 'START_FAILED',
  message: string,
  index: number,
  { name }: Server,
  fleet: Fleet,
): TestfleetError {
  return new TestfleetError(code, `${name}: ${message}`, {
    server: name,
    at: fleet.source.locate(['servers', name, 'devices', index]),
    hint: 'Load the kernel module that makes it, or connect the device, or remove it from `devices`.',
  })
}
