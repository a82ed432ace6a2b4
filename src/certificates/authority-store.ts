import { createPrivateKey, createPublicKey, hash, randomBytes, X509Certificate } from 'node:crypto'
import { link, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inStateFolder, makePrivateFolder, savePrivateFile } from '../files/state-folder.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import { type Authority, type AuthorityMaterial, fingerprintOf, makeAuthority } from './make-certificates.ts'
import { hashNameOf, readRevocationList } from './sign-certificate.ts'

/**
 * Files on this machine: `authorities/<fingerprint>` has each authority, and `fleets/<fleet>/<number>` names those of a
 * fleet, the highest number being in use. Both are written atomically and never changed.
 */
const files = {
  certificate: 'ca.pem',
  key: 'ca-key.pem',
  revocationList: 'crl.pem',
  clientCertificate: 'client.pem',
  clientKey: 'client-key.pem',
} as const satisfies Record<keyof AuthorityMaterial, string>

/** An authority is replaced once a smaller part of its lifetime is left. */
const LEAST_LEFT = 1 / 3

/** Fields that identify the authority of a fleet. */
export interface AuthorityFleet extends Pick<Fleet, 'name' | 'folder'> {
  /** Host names and addresses that its certificates may contain. */
  readonly names: readonly string[]
}

/** Returns the authority of a fleet, and creates one if necessary. Fails with STATE_FOLDER_UNUSABLE. */
export async function ensureAuthority(fleet: AuthorityFleet, host: Host, nowMs = Date.now()): Promise<Authority> {
  return inStateFolder(host, async (state) => {
    const { number, authority: known } = await findCurrent(state, fleet, nowMs)
    if (known !== undefined) return known
    const material = makeAuthority(fleet.name, fleet.names, nowMs)
    const authority = toAuthority(material)
    await makePrivateFolder(state, host)
    await saveAuthority(material, authorityFolder(state, authority.fingerprint), host)
    if (await nameAuthority(authority.fingerprint, number + 1, fleetFolder(state, fleet), host)) {
      await removeEnded(state, nowMs)
      return authority
    }
    // Another call was faster, and both use its authority.
    await rm(authorityFolder(state, authority.fingerprint), { recursive: true, force: true })
    return ensureAuthority(fleet, host, nowMs)
  })
}

/** Makes an authority that is not stored: its key is gone with this process. */
export async function makeThrowAwayAuthority(fleet: AuthorityFleet, nowMs = Date.now()): Promise<Authority> {
  return toAuthority(makeAuthority(fleet.name, fleet.names, nowMs))
}

/** Returns the current authority without creating one; undefined when a new one would be created. */
export async function findAuthority(
  fleet: AuthorityFleet,
  host: Host,
  nowMs = Date.now(),
): Promise<Authority | undefined> {
  return inStateFolder(host, async (state) => (await findCurrent(state, fleet, nowMs)).authority)
}

/** Returns paths of the files that a client of this authority needs; undefined when this machine does not have them. */
export async function findClientFiles(fingerprint: string, host: Host): Promise<ClientFiles | undefined> {
  return inStateFolder(host, async (state) => {
    const folder = authorityFolder(state, fingerprint)
    const names = (await readdir(folder).catch(absent)) ?? []
    const pathOf = (name: string): string | undefined => (names.includes(name) ? join(folder, name) : undefined)
    const [authority, revocationList] = [pathOf(files.certificate), pathOf(files.revocationList)]
    const [certificate, key] = [pathOf(files.clientCertificate), pathOf(files.clientKey)]
    return authority && revocationList ? { folder, authority, revocationList, certificate, key } : undefined
  })
}

export interface ClientFiles {
  readonly folder: string
  readonly authority: string
  readonly revocationList: string
  /** Client certificate; undefined when the authority was created on another machine. */
  readonly certificate: string | undefined
  readonly key: string | undefined
}

/** Stores the public files of another machine's authority; false when they do not match the fingerprint. */
export async function storeForeign(
  { certificate, revocationList }: Pick<AuthorityMaterial, 'certificate' | 'revocationList'>,
  fingerprint: string,
  host: Host,
): Promise<boolean> {
  const authority = parseCertificate(certificate)
  const list = authority && readRevocationList(revocationList, authority.publicKey)
  if (authority === undefined || list === undefined || fingerprintOf(authority) !== fingerprint) return false
  return inStateFolder(host, async (state) => {
    await makePrivateFolder(state, host)
    // The file may contain further certificates, which would all be trusted: keeps only the verified one.
    const material = { certificate: authority.toString(), revocationList: list }
    await saveAuthority(material, authorityFolder(state, fingerprint), host)
    return true
  })
}

interface Current {
  /** Number of authorities that the fleet has had. */
  readonly number: number
  /** Current authority; undefined when a new one is due. */
  readonly authority: Authority | undefined
}

async function findCurrent(state: string, fleet: AuthorityFleet, nowMs: number): Promise<Current> {
  const folder = fleetFolder(state, fleet)
  const number = Math.max(0, ...((await readdir(folder).catch(absent)) ?? []).map(Number).filter(Number.isInteger))
  if (number === 0) return { number, authority: undefined }
  const fingerprint = await readFile(join(folder, String(number)), 'utf8')
  const material = await readAuthority(authorityFolder(state, fingerprint))
  // Somebody has removed the files: a new authority replaces them.
  if (material === undefined) return { number, authority: undefined }
  const authority = toAuthority(material)
  const left = (authority.endsAtMs - nowMs) / (authority.endsAtMs - authority.fromMs)
  return { number, authority: left < LEAST_LEFT ? undefined : authority }
}

async function readAuthority(folder: string): Promise<AuthorityMaterial | undefined> {
  const entries = await Promise.all(
    Object.entries(files).map(async ([what, name]) => [what, await readFile(join(folder, name), 'utf8')] as const),
  ).catch(absent)
  return entries === undefined ? undefined : (Object.fromEntries(entries) as Record<keyof typeof files, string>)
}

function toAuthority({ key, certificate, revocationList }: AuthorityMaterial): Authority {
  const parsed = new X509Certificate(certificate)
  const privateKey = createPrivateKey(key)
  const commonName = parsed.subject.replace(/^CN=/, '')
  return {
    fingerprint: fingerprintOf(parsed),
    fromMs: parsed.validFromDate.getTime(),
    endsAtMs: parsed.validToDate.getTime(),
    files: { certificate, revocationList, hashName: hashNameOf(commonName) },
    commonName,
    privateKey,
    publicKey: createPublicKey(privateKey),
  }
}

/** Writes all files of an authority at once, so that its folder is always complete. */
async function saveAuthority(material: Partial<AuthorityMaterial>, folder: string, host: Host): Promise<void> {
  await makePrivateFolder(join(folder, '..'), host)
  const draft = `${folder}.${randomBytes(6).toString('hex')}`
  try {
    await makePrivateFolder(draft, host)
    for (const [what, text] of Object.entries(material))
      await savePrivateFile(join(draft, files[what as keyof typeof files]), text)
    await rename(draft, folder)
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    // The folder is named after its content, so an existing one is the same.
    if ((await readdir(folder).catch(absent)) === undefined) throw error
  }
}

/** False when another call has taken that number first. */
async function nameAuthority(fingerprint: string, number: number, folder: string, host: Host): Promise<boolean> {
  await makePrivateFolder(join(folder, '..'), host)
  await makePrivateFolder(folder, host)
  const draft = join(folder, `.${randomBytes(6).toString('hex')}`)
  await savePrivateFile(draft, fingerprint)
  try {
    await link(draft, join(folder, String(number)))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    return false
  } finally {
    await rm(draft, { force: true })
  }
}

/** Removes expired authorities of all fleets, which nothing trusts any more. */
async function removeEnded(state: string, nowMs: number): Promise<void> {
  const folder = join(state, 'authorities')
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name, files.certificate), 'utf8').catch(() => undefined)
    if (text === undefined || new X509Certificate(text).validToDate.getTime() > nowMs) continue
    await rm(join(folder, name), { recursive: true, force: true })
  }
}

function authorityFolder(state: string, fingerprint: string): string {
  // The value comes from labels on the engine, and must not become a path.
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) throw new Error(`not a fingerprint: ${JSON.stringify(fingerprint)}`)
  return join(state, 'authorities', fingerprint)
}

/**
 * A clone of a project in another folder is another fleet, and an authority signs only the names that it was created
 * for.
 */
function fleetFolder(state: string, { name, folder, names }: AuthorityFleet): string {
  return join(state, 'fleets', hash('sha256', [name, folder, ...names].join('\0')).slice(0, 32))
}

function parseCertificate(text: string): X509Certificate | undefined {
  try {
    return new X509Certificate(text)
  } catch {
    return undefined
  }
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error
  return undefined
}
