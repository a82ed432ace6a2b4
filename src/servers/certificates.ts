import { posix } from 'node:path'
import type { CallOptions } from '../engine/engine.ts'
import { packArchive } from '../files/archive.ts'
import { findOwner } from '../formats/user-lists.ts'
import { type AuthorityFiles, type ServerCertificate, TLS_FOLDER } from '../model/certificate.ts'
import { isFailure, TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import type { ContextEntry, FileOwner } from '../model/plan.ts'
import type { Runtime } from '../runtime/runtime.ts'
import { tlsFiles } from './describe-server.ts'

/** What goes into one container of a fleet that has certificates. */
export interface Certificates {
  readonly authority: AuthorityFiles
  /** Undefined for a server that only has to trust the others. */
  readonly own: ServerCertificate | undefined
}

const KEY_MODE = 0o600
const PUBLIC_MODE = 0o644

/** Where Debian, its kin and Alpine keep the authorities that they trust. */
const SYSTEM_BUNDLE = '/etc/ssl/certs/ca-certificates.crt'
const MAX_BUNDLE_BYTES = 8 * 1024 * 1024

/** Puts a server's key and certificate into its container, which has not started, and has it trust the fleet's authority. */
export async function deliverCertificates(
  containerId: string,
  { authority, own }: Certificates,
  server: Server,
  fleet: Fleet,
  runtime: Runtime,
  options: CallOptions,
): Promise<void> {
  const put = async (folder: string, entries: readonly ContextEntry[]): Promise<void> =>
    runtime.deliver(containerId, folder, Buffer.concat(await packArchive(entries).toArray()), options)
  const [owner, roots] = await Promise.all([
    own === undefined ? undefined : findKeyOwner(containerId, server, fleet, runtime, options),
    readContainerFile(runtime, containerId, SYSTEM_BUNDLE, MAX_BUNDLE_BYTES, options),
  ])
  const bundle = `${roots ?? ''}${roots === undefined || roots.endsWith('\n') ? '' : '\n'}${authority.certificate}`
  const shared = [
    publicFile(tlsFiles.authority, `${authority.certificate}${own?.authorities ?? ''}`),
    publicFile(tlsFiles.revocationList, authority.revocationList),
    // The root of such a container takes no file; a volume does.
    ...(server.readOnly ? [publicFile(tlsFiles.bundle, bundle)] : []),
  ]
  const ownFiles = own === undefined || owner === undefined ? [] : describeOwn(own, owner)
  await put(TLS_FOLDER, [...shared, ...ownFiles].map(below(TLS_FOLDER)))
  if (server.readOnly) return
  const trusted = [
    publicFile(SYSTEM_BUNDLE, bundle),
    publicFile(`${posix.dirname(SYSTEM_BUNDLE)}/${authority.hashName}`, authority.certificate),
    // From here, update-ca-certificates takes it when it makes the bundle anew.
    publicFile(`/usr/local/share/ca-certificates/testfleet-${fleet.name}.crt`, authority.certificate),
  ]
  await put('/', trusted.map(below('/')))
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

function below(folder: string): (entry: ContextEntry) => ContextEntry {
  return (entry) => ({ ...entry, path: posix.relative(folder, entry.path) })
}

/** Whom the server runs as, its image's word included, unless the fleet file names another. */
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
  throw new TestfleetError('START_FAILED', `its image does not know ${name}, who is to own its key`, {
    server: server.name,
    hint: `Name a user of the image in \`tls: { owner: … }\`, or one by number, in ${fleet.source.file}.`,
  })
}

const MAX_FILE_BYTES = 256 * 1024

/** What a container was given of its fleet's authority; undefined where it lacks it. */
export async function readAuthority(
  runtime: Runtime,
  containerId: string,
  options: CallOptions,
): Promise<Pick<AuthorityFiles, 'certificate' | 'revocationList'> | undefined> {
  const read = (path: string): Promise<string | undefined> =>
    readContainerFile(runtime, containerId, path, MAX_FILE_BYTES, options)
  const [certificate, revocationList] = await Promise.all([read(tlsFiles.authority), read(tlsFiles.revocationList)])
  // Authorities of the user's own come after the fleet's.
  const [own] = certificate?.split(/(?<=-----END CERTIFICATE-----\n)/) ?? []
  return own === undefined || revocationList === undefined ? undefined : { certificate: own, revocationList }
}

/** The key of a container's certificate; undefined for one that has none. */
export function readKey(runtime: Runtime, containerId: string, options: CallOptions): Promise<string | undefined> {
  return readContainerFile(runtime, containerId, tlsFiles.key, MAX_FILE_BYTES, options)
}

/** As many as Linux follows, roughly; a circle ends too. */
const MAX_LINKS = 20

/** The text of a container's file, its links followed; undefined where there is none. */
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
    // Few servers have files that are read.
    const { unpackTar } = await import('modern-tar')
    const [entry] = await unpackTar(archive)
    if (entry?.header.type === 'file') return Buffer.from(entry.data ?? []).toString('utf8')
    if (entry?.header.type !== 'symlink') return undefined
    place = posix.resolve(posix.dirname(place), entry.header.linkname ?? '')
  }
  return undefined
}

const MAX_LIST_BYTES = 1024 * 1024

/** The numbers of `user` or `user:group`, as the container's own lists have them; undefined for a name that they lack. */
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
