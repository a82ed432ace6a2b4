import { posix } from 'node:path'
import type { CallOptions, Engine } from '../engine/engine.ts'
import { packArchive } from '../files/pack-archive.ts'
import { type AuthorityFiles, type ServerCertificate, TLS_FOLDER } from '../model/certificate.ts'
import { TestfleetError } from '../model/failures.ts'
import type { Fleet, Server } from '../model/fleet.ts'
import type { ContextEntry, FileOwner } from '../model/plan.ts'
import { readContainerFile } from './container-files.ts'
import { tlsFiles } from './desire.ts'
import { findUser } from './find-user.ts'

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
  engine: Engine,
  options: CallOptions,
): Promise<void> {
  const put = async (folder: string, entries: readonly ContextEntry[]): Promise<void> =>
    engine.putArchive(containerId, folder, Buffer.concat(await packArchive(entries).toArray()), options)
  const [owner, roots] = await Promise.all([
    own === undefined ? undefined : findKeyOwner(containerId, server, fleet, engine, options),
    readContainerFile(engine, containerId, SYSTEM_BUNDLE, MAX_BUNDLE_BYTES, options),
  ])
  const bundle = `${roots ?? ''}${roots === undefined || roots.endsWith('\n') ? '' : '\n'}${authority.certificate}`
  const shared = [
    publicFile(tlsFiles.authority, authority.certificate),
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
  engine: Engine,
  options: CallOptions,
): Promise<FileOwner> {
  const name = server.tls?.owner ?? server.user ?? (await engine.inspectContainer(containerId, options)).user
  const owner = await findUser(name, containerId, engine, options)
  if (owner !== undefined) return owner
  throw new TestfleetError('START_FAILED', `its image does not know ${name}, who is to own its key`, {
    server: server.name,
    hint: `Name a user of the image in \`tls: { owner: … }\`, or one by number, in ${fleet.source.file}.`,
  })
}
