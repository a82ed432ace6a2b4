import type { Fleet, SecretOrigin, Server } from '../model/fleet.ts'
import { selectServers } from '../plan/reconcile.ts'

/** Length of a secret that stands for one from outside, which may have any length. */
const SECRET_LENGTH = 24

/**
 * Returns the fleet in which a server is baked: the server and everything that it depends on, with throw-away secrets.
 * Its `bake` commands run where `postStart` runs otherwise; its own `postStart` commands run at each later start.
 */
export function bakeFleet(fleet: Fleet, name: string): Fleet {
  const servers = selectServers(fleet, [name]).map((server) => {
    const plain = throwAway(server)
    return server.name === name ? { ...plain, bake: undefined, postStart: server.bake?.run ?? [] } : plain
  })
  return { ...fleet, servers: new Map(servers.map((server) => [server.name, server])) }
}

/** Returns a server without what belongs to one session or to the caller: secrets, ports of this machine, a key. */
export function throwAway(server: Server): Server {
  const { secrets, ports, tls } = server
  return {
    ...server,
    secrets: new Map([...secrets].map(([name, origin]) => [name, throwAwaySecret(origin)])),
    ports: ports.map((port) => ({ ...port, host: undefined, address: undefined })),
    tls: tls && { ...tls, own: undefined },
  }
}

/** A secret with a `value` is none: it is written in the fleet file. */
function throwAwaySecret(origin: SecretOrigin): SecretOrigin {
  return origin.kind === 'value' || origin.kind === 'generate' ? origin : { kind: 'generate', length: SECRET_LENGTH }
}
