import type { Server } from '../model/fleet.ts'
import type { ServerDeclaration } from '../model/fleet-file.ts'

/**
 * What engines give by default and servers hardly ever need: packets of any kind, device files, lines in the machine's
 * audit log, and capabilities for files and for other processes.
 */
const DEFAULT_CAP_DROP = ['NET_RAW', 'MKNOD', 'AUDIT_WRITE', 'SETFCAP', 'SETPCAP']

/** What a server may do beyond its own files: little, unless it says so. */
export function resolveRights(declaration: ServerDeclaration): Pick<Server, 'capAdd' | 'capDrop' | 'unsafe'> {
  const { privileged = false, engineSocket = false, newPrivileges = false } = declaration.unsafe ?? {}
  const capAdd = (declaration.capAdd ?? []).map(withoutPrefix)
  const dropped = declaration.capDrop?.map(withoutPrefix) ?? (privileged ? [] : DEFAULT_CAP_DROP)
  return {
    capAdd,
    // One that is dropped and added is added: Docker takes both and does so, Podman refuses both (4.3).
    capDrop: dropped.filter((capability) => !capAdd.includes(capability)),
    unsafe: { privileged, engineSocket, newPrivileges },
  }
}

function withoutPrefix(capability: string): string {
  return capability.replace(/^CAP_/, '')
}
