import type { Server } from '../model/fleet.ts'
import type { Operation } from '../model/plan.ts'
import type { Certificates } from '../servers/certificates.ts'
import { resolveSecrets } from '../servers/secrets.ts'
import type { Tools } from '../tools.ts'
import type { Work } from './operations.ts'
import type { PlannedUp } from './plan-up.ts'

/** What only the servers that are started are given, by server. */
export type Starting = Pick<Work, 'secrets' | 'certificates'>

/** Reads or generates what the servers that a plan starts are given. Fails with SECRET_MISSING or CONTEXT_CHANGED. */
export async function prepareStart(planned: PlannedUp, { host }: Tools): Promise<Starting> {
  const servers = planned.plan.operations.flatMap((operation) =>
    operation.kind === 'startServer' ? (planned.desired.servers.get(operation.server)?.server ?? []) : [],
  )
  const [secrets, certificates] = await Promise.all([
    Promise.all(servers.map(async (server) => [server.name, await resolveSecrets(server, host)] as const)),
    makeCertificates(servers, planned),
  ])
  return { secrets: new Map(secrets), certificates }
}

/** What each server is given of its fleet's authority, with a new key; nothing where there is no authority. */
async function makeCertificates(
  servers: readonly Server[],
  { authority, settings }: PlannedUp,
): Promise<ReadonlyMap<string, Certificates>> {
  if (authority === undefined || servers.length === 0) return new Map()
  // Loaded on demand: most fleets have no certificates.
  const { makeServerCertificate, serverNames } = await import('../certificates/make-certificates.ts')
  const made = servers.map(async (server) => {
    const names = serverNames(server, settings.engineHost)
    const own = server.tls && (await makeServerCertificate({ kind: server.tls.certificate, names }, authority))
    return [server.name, { authority: authority.files, own }] as const
  })
  return new Map(await Promise.all(made))
}

/** What failed, for the servers that had to wait for it. */
export function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case 'pullImage':
      return `the image ${operation.reference}`
    case 'buildImage':
      return `the image of ${operation.servers.join(', ')}`
    case 'createNetwork':
    case 'removeNetwork':
      return 'the network'
    case 'createVolume':
    case 'removeVolume':
      return `the volume ${operation.volume}`
    case 'saveRecord':
      return 'the record of the session'
    default:
      return operation.server
  }
}
