import { readDevice } from '../formats/device.ts'
import type { Server } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'

/** Number of restarts of `restart: on-failure` without a number. */
const DEFAULT_RESTARTS = 5

type OfContainer = Pick<Server, 'ownHostname' | 'dns' | 'devices' | 'tty' | 'restarts'>

/** Keys of a server that Compose has under the same names. */
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
