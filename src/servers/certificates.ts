import { posix } from 'node:path'
import type { CallOptions } from '../engine/engine.ts'
import { findOwner } from '../formats/user-lists.ts'
import type { AuthorityFiles, ServerCertificate } from '../model/certificate.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import type { ContextEntry, FileOwner } from '../model/plan.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { tlsFiles } from './describe-server.ts'

/** Certificates to deliver into one container. */
export interface Certificates {
  readonly authority: AuthorityFiles
  /** The server's certificate; undefined for a server that only trusts the authority. */
  readonly own: ServerCertificate | undefined
}

const KEY_MODE = 0o600
const PUBLIC_MODE = 0o644

/** System-wide CA bundle of Debian, its derivatives and Alpine. */
const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt'
const MAX_BUNDLE_BYTES = 8 * 1024 * 1024

/**
 * Returns the files by which a server has its key and certificate and trusts the fleet's authority. Reads the owner of
 * the key and the certificates that it trusts already from its container.
 */
export async function describeCertificates(
  containerId: string,
  { authority, own }: Certificates,
  server: Server,
  fleet: Fleet,
  runtime: Runtime,
  options: CallOptions,
): Promise<ContextEntry[]> {
  const [owner, roots] = await Promise.all([
    own === undefined ? undefined : findKeyOwner(containerId, server, fleet, runtime, options),
    readBundle(runtime, containerId, options),
  ])
  const bundle = `${roots ?? ''}${roots === undefined || roots.endsWith('\n') ? '' : '\n'}${authority.certificate}`
  const shared = [
    publicFile(tlsFiles.authority, `${authority.certificate}${own?.authorities ?? ''}`),
    publicFile(tlsFiles.revocationList, authority.revocationList),
    // The root of a read-only container accepts no files; a volume does.
    ...(server.readOnly ? [publicFile(tlsFiles.bundle, bundle)] : []),
  ]
  const ownFiles = own === undefined || owner === undefined ? [] : describeOwn(own, owner)
  return [...shared, ...ownFiles, ...(server.readOnly ? [] : trustedFiles({ bundle, ...authority }, fleet))]
}

/** Reads the certificates that a container trusts; undefined when its image has none. */
export function readBundle(runtime: Runtime, containerId: string, options: CallOptions): Promise<string | undefined> {
  return readContainerFile(runtime, containerId, SYSTEM_BUNDLE, MAX_BUNDLE_BYTES, options)
}

/** Returns the files by which a server trusts an authority. `bundle` has all certificates that it trusts. */
export function trustedFiles(
  { bundle, certificate, hashName }: Pick<AuthorityFiles, 'certificate' | 'hashName'> & { readonly bundle: string },
  { name }: Pick<Fleet, 'name'>,
): ContextEntry[] {
  return [
    publicFile(SYSTEM_BUNDLE, bundle),
    publicFile(`${posix.dirname(SYSTEM_BUNDLE)}/${hashName}`, certificate),
    // update-ca-certificates reads this folder when it regenerates the bundle.
    publicFile(`/usr/local/share/ca-certificates/testfleet-${name}.crt`, certificate),
  ]
}

function describeOwn({ key, chain, intermediate }: ServerCertificate, owner: FileOwner): ContextEntry[] {
  return [
    { kind: 'text', path: tlsFiles.key, mode: KEY_MODE, owner, text: key },
    publicFile(tlsFiles.chain, chain),
    ...(intermediate === undefined ? [] : [publicFile(tlsFiles.intermediate, intermediate)]),
  ]
}

function publicFile(path: string, text: string): ContextEntry {
  return { kind: 'text', path, mode: PUBLIC_MODE, text }
}

/** Returns the user that the server runs as, from its image if need be, unless the fleet file names another owner. */
async function findKeyOwner(
  containerId: string,
  server: Server,
  fleet: Fleet,
  runtime: Runtime,
  options: CallOptions,
): Promise<FileOwner> {
  const name = server.tls?.owner ?? server.user ?? (await runtime.inspectServer(containerId, options)).user
  const owner = await findUser(name, containerId, runtime, options)
  if (owner !== undefined) return owner
  throw new TestfleetError('START_FAILED', `its image has no user ${name} to own the server's key`, {
    server: server.name,
    hint: `Set \`tls: { owner: … }\` in ${fleet.source.file} to a user of the image, or to a user id.`,
  })
}

const MAX_FILE_BYTES = 256 * 1024

/** Reads the authority's certificate that a container was given; undefined when there is none. */
export async function readAuthority(
  runtime: Runtime,
  containerId: string,
  options: CallOptions,
): Promise<Pick<AuthorityFiles, 'certificate' | 'revocationList'> | undefined> {
  const read = (path: string): Promise<string | undefined> =>
    readContainerFile(runtime, containerId, path, MAX_FILE_BYTES, options)
  const [certificate, revocationList] = await Promise.all([read(tlsFiles.authority), read(tlsFiles.revocationList)])
  // The fleet's authority comes first; the user's own authorities follow.
  const [own] = certificate?.split(/(?<=-----END CERTIFICATE-----\n)/) ?? []
  return own === undefined || revocationList === undefined ? undefined : { certificate: own, revocationList }
}

/** Reads the private key of a container's certificate; undefined when there is none. */
export function readKey(runtime: Runtime, containerId: string, options: CallOptions): Promise<string | undefined> {
  return readContainerFile(runtime, containerId, tlsFiles.key, MAX_FILE_BYTES, options)
}

/** Linux follows about as many links; the limit also ends cycles. */
const MAX_LINKS = 20

/** Reads a text file of a container and follows links; undefined when there is no such file. */
export async function readContainerFile(
  runtime: Runtime,
  containerId: string,
  path: string,
  maxBytes: number,
  options: CallOptions,
): Promise<string | undefined> {
  let place = path
  for (let links = 0; links < MAX_LINKS; links += 1) {
    const archive = await runtime.fetch(containerId, place, maxBytes, options).catch((error: unknown) => {
      if (isFailure(error, 'NOT_FOUND')) return undefined
      throw error
    })
    if (archive === undefined) return undefined
    // Loaded on demand: few servers have files that are read.
    const { unpackTar } = await import('modern-tar')
    const [entry] = await unpackTar(archive)
    if (entry?.header.type === 'file') return Buffer.from(entry.data ?? []).toString('utf8')
    if (entry?.header.type !== 'symlink') return undefined
    place = posix.resolve(posix.dirname(place), entry.header.linkname ?? '')
  }
  return undefined
}

const MAX_LIST_BYTES = 1024 * 1024

/** Looks up `user` or `user:group` in the container's own user lists; undefined for an unknown name. */
export async function findUser(
  text: string,
  containerId: string,
  runtime: Runtime,
  options: CallOptions,
): Promise<FileOwner | undefined> {
  const read = (path: string): Promise<string | undefined> =>
    readContainerFile(runtime, containerId, path, MAX_LIST_BYTES, options)
  const owner = await findOwner(text, read)
  return owner.kind === 'found' ? { uid: owner.uid, gid: owner.gid } : undefined
}
