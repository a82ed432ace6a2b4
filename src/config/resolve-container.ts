import { readDevice } from '../formats/device.ts'
import type { Server } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'

/** How often a server starts again where `restart: on-failure` does not say it. */
const DEFAULT_RESTARTS = 5

type OfContainer = Pick<Server, 'ownHostname' | 'dns' | 'devices' | 'tty' | 'restarts'>

/** What Compose says of a container in the same words. */
export function resolveContainer({
  hostname,
  dns = [],
  devices = [],
  tty = false,
  restart,
}: ServerDeclaration): OfContainer {
  return {
    ownHostname: hostname,
    dns,
    devices: devices.flatMap((device) => readDevice(device) ?? []),
    tty,
    restarts: readRestarts(restart),
  }
}

function readRestarts(restart: string | undefined): number {
  const [, number = DEFAULT_RESTARTS] = /^on-failure(?::(\d+))?$/.exec(restart ?? '') ?? [undefined, 0]
  return Number(number)
}
