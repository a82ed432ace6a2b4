import type { FleetSource, Server } from '../model/fleet.ts'
import type { Certificates } from '../servers/certificates.ts'
import { resolveSecrets, type SecretValues } from '../servers/secrets.ts'
import type { Tools } from '../tools.ts'
import type { PlannedUp } from './plan-up.ts'

/** Secrets and certificates of the servers that a call starts, by server. */
export interface Starting {
  /** The recorder masks these values in everything it writes. */
  readonly secrets: ReadonlyMap<string, SecretValues>
  readonly certificates: ReadonlyMap<string, Certificates>
}

/**
 * Reads or generates the secrets and certificates of the servers that a plan starts. Fails with SECRET_MISSING or
 * CONTEXT_CHANGED.
 */
export async function prepareStart(planned: PlannedUp, source: FleetSource, { host }: Tools): Promise<Starting> {
  const servers = planned.plan.operations.flatMap((operation) =>
    operation.kind === 'startServer' ? (planned.desired.servers.get(operation.server)?.server ?? []) : [],
  )
  const [secrets, certificates] = await Promise.all([
    Promise.all(servers.map(async (server) => [server.name, await resolveSecrets(server, { host, source })] as const)),
    makeCertificates(servers, planned),
  ])
  return { secrets: new Map(secrets), certificates }
}

/** Issues a certificate with a new key for each server; returns nothing for a fleet without an authority. */
export async function makeCertificates(
  servers: readonly Server[],
  { authority, settings }: PlannedUp,
): Promise<ReadonlyMap<string, Certificates>> {
  const containers = servers.filter(({ runs }) => runs.kind === 'container')
  if (authority === undefined || containers.length === 0) return new Map()
  // Loaded on demand: most fleets have no certificates.
  const [{ makeServerCertificate, serverNames }, { readOwnCertificate }] = await Promise.all([
    import('../certificates/make-certificates.ts'),
    import('../files/own-certificate.ts'),
  ])
  const made = containers.map(async (server) => {
    const names = serverNames(server, settings.engineHost)
    const own =
      server.tls &&
      (await (server.tls.own === undefined
        ? makeServerCertificate({ kind: server.tls.certificate, names }, authority)
        : readOwnCertificate(server.tls.own)))
    return [server.name, { authority: authority.files, own }] as const
  })
  return new Map(await Promise.all(made))
}
