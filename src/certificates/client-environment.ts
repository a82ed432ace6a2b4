import { hash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { inStateFolder, savePrivateFile } from '../files/state-folder.ts'
import type { Host } from '../model/host.ts'
import type { ClientFiles } from './authority-store.ts'

/**
 * Variables that replace a program's whole list of authorities: with only the fleet's, it would trust no other site.
 */
const wholeBundles = ['SSL_CERT_FILE', 'CURL_CA_BUNDLE', 'REQUESTS_CA_BUNDLE'] as const
/** Names authorities that Node trusts in addition to its own. */
const nodeBundle = 'NODE_EXTRA_CA_CERTS'

/** CA bundles of common systems. */
const systemBundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']

/** Returns the variables by which clients trust a fleet's authority and present a client certificate. */
export async function clientEnvironment(files: ClientFiles, host: Host): Promise<Record<string, string>> {
  const authority = await readFile(files.authority, 'utf8')
  const extended = (roots: string | undefined): Promise<string> => extendBundle(roots, authority, files, host)
  const system = await readGiven('SSL_CERT_FILE', host).then((given) => given ?? readSystemRoots())
  const bundles = await Promise.all(
    wholeBundles.map(async (name) => [name, await extended((await readGiven(name, host)) ?? system)] as const),
  )
  return {
    TESTFLEET_CA_FILE: files.authority,
    TESTFLEET_CRL_FILE: files.revocationList,
    ...(files.certificate && { TESTFLEET_CLIENT_CERT_FILE: files.certificate }),
    ...(files.key && { TESTFLEET_CLIENT_KEY_FILE: files.key }),
    ...Object.fromEntries(bundles),
    [nodeBundle]: await extended(await readGiven(nodeBundle, host)),
  }
}

/** Reads the bundle that the caller's variable names; empty when the file does not exist. */
async function readGiven(name: string, { environment }: Host): Promise<string | undefined> {
  const path = environment[name]
  return path ? readFile(path, 'utf8').catch(() => undefined) : undefined
}

async function readSystemRoots(): Promise<string> {
  for (const path of systemBundles) {
    const text = await readFile(path, 'utf8').catch(() => undefined)
    if (text !== undefined) return text
  }
  const { rootCertificates } = await import('node:tls')
  return rootCertificates.join('\n')
}

/**
 * Returns the path of a file with these authorities and the fleet's. Its name is a hash of its content, so that callers
 * share it.
 */
async function extendBundle(
  roots: string | undefined,
  authority: string,
  files: ClientFiles,
  host: Host,
): Promise<string> {
  if (roots === undefined) return files.authority
  const text = appendCertificate(roots, authority)
  const path = join(files.folder, `bundle-${hash('sha256', text).slice(0, 16)}.pem`)
  const isThere = (await readFile(path, 'utf8').catch(() => undefined)) === text
  if (!isThere) await inStateFolder(host, () => savePrivateFile(path, text))
  return path
}

function appendCertificate(bundle: string, certificate: string): string {
  if (bundle.includes(certificate.trim())) return bundle
  return `${bundle}${bundle === '' || bundle.endsWith('\n') ? '' : '\n'}${certificate}`
}
