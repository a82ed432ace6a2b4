import { TestfleetError } from '../model/failures.ts'
import type { Fleet } from '../model/fleet.ts'

/** Refuses a fleet whose copies cannot run side by side, or cannot be ready before they are used. */
export function refuseUnfit(fleet: Fleet): void {
  for (const { name, ports, mounts } of fleet.servers.values()) {
    const port = ports.find(({ host }) => host !== undefined)
    if (port !== undefined) throw unfit(name, `copies cannot share the port ${port.host} of this machine`)
    const mount = mounts.find((mount) => mount.kind === 'bind' && mount.writable)
    if (mount !== undefined) throw unfit(name, `copies would all write to the mount at ${mount.to}`)
  }
}

function unfit(server: string, why: string): TestfleetError {
  return new TestfleetError('USAGE', `the fleet can have no standby copies: ${server}: ${why}`, {
    server,
    hint: 'Use a free port, or a read-only mount or a volume.',
  })
}
