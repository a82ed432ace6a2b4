import { type FieldPath, portPath, type Server } from './fleet.ts'

/** What several copies of a server, each in its own session, cannot share. */
export interface CopyConflict {
  readonly server: string
  /** A sentence whose subject is `copies`. */
  readonly why: string
  readonly path: FieldPath
  readonly hint: string
}

type CopiedServer = Pick<Server, 'name' | 'runs' | 'ports' | 'portItems' | 'mounts'>

/** Returns the first reason why copies of these servers cannot run side by side. `copies` is what the user calls them. */
export function findCopyConflict(
  servers: Iterable<CopiedServer>,
  copies: string,
  bind: 'free' | 'fixed' = 'free',
): CopyConflict | undefined {
  for (const server of servers) {
    const { name, runs, ports, mounts } = server
    // All copies use the same one, and do not start it.
    if (runs.kind === 'external') continue
    // A program of this machine listens at its port itself.
    const isFixed = bind === 'fixed' || runs.kind === 'process'
    const index = ports.findIndex(({ host }) => isFixed || host !== undefined)
    const port = ports[index]
    if (port !== undefined) {
      const why = `${copies} cannot share the port ${port.host ?? port.container} of this machine`
      return { server: name, why, path: portPath(server, index), hint }
    }
    const writable = mounts.findIndex((mount) => mount.kind === 'bind' && mount.writable)
    const mount = mounts[writable]
    if (mount !== undefined) {
      const why = `${copies} would all write to the mount at ${mount.to}`
      return { server: name, why, path: ['servers', name, 'mounts', writable], hint }
    }
  }
  return undefined
}

const hint = 'Use a free port, or a read-only mount or a volume.'
