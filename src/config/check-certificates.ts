import type { Mistake } from '../model/failures.ts'
import type { FieldPath, Fleet } from '../model/fleet.ts'
import { formatFieldPath, refuseMistakes } from './document.ts'

/** Checks that each key and certificate of the user's own can be used together. Fails with FLEET_FILE_INVALID. */
export async function checkCertificates(fleet: Fleet): Promise<void> {
  const withOwn = [...fleet.servers.values()].flatMap(({ name, tls }) =>
    tls?.own === undefined ? [] : [{ name, own: tls.own }],
  )
  if (withOwn.length === 0) return
  // Loaded on demand: most fleets bring no certificates.
  const { readOwnCertificate, UnfitCertificate } = await import('../files/own-certificate.ts')
  const found = withOwn.map(async ({ name, own }): Promise<Mistake | undefined> => {
    try {
      await readOwnCertificate(own)
      return undefined
    } catch (error) {
      if (!(error instanceof UnfitCertificate)) throw error
      const at: FieldPath = ['servers', name, 'tls', error.file]
      return { at: fleet.source.locate(at), field: formatFieldPath(at), message: error.message }
    }
  })
  refuseMistakes((await Promise.all(found)).filter((mistake) => mistake !== undefined))
}
