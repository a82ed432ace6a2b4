import { X509Certificate } from 'node:crypto'
import { posix } from 'node:path'
import type { Fleet } from '../model/fleet.ts'
import type { ContextEntry } from '../model/plan.ts'
import type { Tools } from '../tools.ts'

/**
 * Takes the throw-away authority out of what a stopped server trusts. Files of a stopped server cannot be removed, so
 * those of this authority become empty.
 */
export async function forgetAuthority(container: string, fleet: Fleet, { runtime, signal }: Tools): Promise<void> {
  // Loaded on demand: most fleets have no certificates.
  const [{ readAuthority, readBundle, trustedFiles }, { hashNameOf }, { packArchive }] = await Promise.all([
    import('../servers/certificates.ts'),
    import('../certificates/sign-certificate.ts'),
    import('../files/archive.ts'),
  ])
  const [authority, bundle = ''] = await Promise.all([
    readAuthority(runtime, container, { signal }),
    readBundle(runtime, container, { signal }),
  ])
  if (authority === undefined) return
  const { certificate } = authority
  const hashName = hashNameOf(new X509Certificate(certificate).subject.replace(/^CN=/, ''))
  const files = trustedFiles({ bundle: bundle.replace(certificate, ''), certificate: '', hashName }, fleet)
  const entries = files.map((entry): ContextEntry => ({ ...entry, path: posix.relative('/', entry.path) }))
  await runtime.deliver(container, '/', Buffer.concat(await packArchive(entries).toArray()), { signal })
}
