import type { Certificates } from '../containers/deliver-certificates.ts'
import type { Server } from '../model/fleet.ts'
import type { PlannedUp } from './plan-up.ts'

/** What each of these servers is given of its fleet's authority, with a new key; nothing where there is no authority. */
export async function makeCertificates(
  servers: readonly Server[],
  { authority, settings }: Pick<PlannedUp, 'authority' | 'settings'>,
): Promise<ReadonlyMap<string, Certificates>> {
  if (authority === undefined) return new Map()
  // Few fleets have certificates.
  const [{ makeServerCertificate }, { serverNames }] = await Promise.all([
    import('../certificates/make-server-certificate.ts'),
    import('../certificates/server-names.ts'),
  ])
  const made = servers.map(async (server) => {
    const names = serverNames(server, settings.engineHost)
    const own = server.tls && (await makeServerCertificate({ kind: server.tls.certificate, names }, authority))
    return [server.name, { authority: authority.files, own }] as const
  })
  return new Map(await Promise.all(made))
}
