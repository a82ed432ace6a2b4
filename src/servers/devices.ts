import { existsSync } from 'node:fs'
import type { EngineLocation } from '../engine/engine.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'

type Exists = (path: string) => boolean

/**
 * Fails with FLEET_FILE_INVALID for a device that does not exist, before anything is created. Checks only when the
 * engine shares this program's file system.
 */
export function refuseMissingDevices(
  servers: readonly Server[],
  fleet: Fleet,
  { endpoint }: Pick<EngineLocation, 'endpoint'>,
  platform: NodeJS.Platform,
  exists: Exists = existsSync,
): void {
  const isInContainer = exists('/.dockerenv') || exists('/run/.containerenv')
  if (platform !== 'linux' || endpoint.kind === 'tcp' || isInContainer) return
  for (const server of servers)
    for (const [index, { host }] of server.devices.entries())
      if (!exists(host))
        throw deviceFailure('FLEET_FILE_INVALID', `this machine has no device ${host}`, index, server, fleet)
}

/** Returns a failure with its line in the fleet file when the engine's message is about a device. */
export function explainDevice(words: string, server: Server, fleet: Fleet): TestfleetError | undefined {
  const [, host, why] = /gathering device information while adding custom device "([^"]+)": (.*)/.exec(words) ?? []
  const index = server.devices.findIndex((device) => device.host === host)
  if (host === undefined || index < 0) return undefined
  const what = why?.includes('not a device node')
    ? `${host} is not a device`
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
    hint: 'Load the kernel module that creates it, connect the device, or remove it from `devices`.',
  })
}
