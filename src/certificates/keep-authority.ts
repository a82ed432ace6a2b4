import { createPrivateKey, createPublicKey, hash, randomBytes, X509Certificate } from 'node:crypto'
import { link, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { inStateFolder, makePrivateFolder, savePrivateFile } from '../files/state-folder.ts'
import type { Fleet } from '../model/fleet.ts'
import type { Host } from '../model/host.ts'
import { type Authority, type AuthorityMaterial, fingerprintOf, makeAuthority } from './make-certificates.ts'
import { hashNameOf, readRevocationList } from './sign-certificate.ts'

/**
 * On this machine, `authorities/<fingerprint>` holds each authority, and `fleets/<fleet>/<number>` names those that a
 * fleet has had, the last one in use. Both are there as a whole or not at all, and are not changed afterwards.
 */
const files = {
  certificate: 'ca.pem',
  key: 'ca-key.pem',
  revocationList: 'crl.pem',
  clientCertificate: 'client.pem',
  clientKey: 'client-key.pem',
} as const satisfies Record<keyof AuthorityMaterial, string>

/** With less of its life left, an authority has a successor. */
const LEAST_LEFT = 1 / 3

/** A fleet, as far as its authority is concerned. */
export interface AuthorityFleet extends Pick<Fleet, 'name' | 'folder'> {
  /** All that its certificates may name: host names and addresses. */
  readonly names: readonly string[]
}

/** The authority of a fleet: the one that this machine has, or a new one. Fails with STATE_FOLDER_UNUSABLE. */
export async function keepAuthority(fleet: AuthorityFleet, host: Host, nowMs = Date.now()): Promise<Authority> {
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
    // Another call was faster: there is one authority for both.
    await rm(authorityFolder(state, authority.fingerprint), { recursive: true, force: true })
    return keepAuthority(fleet, host, nowMs)
  })
}

/** What is known of it without making one; undefined where one would be made. */
export async function findAuthority(
  fleet: AuthorityFleet,
  host: Host,
  nowMs = Date.now(),
): Promise<Authority | undefined> {
  return inStateFolder(host, async (state) => (await findCurrent(state, fleet, nowMs)).authority)
}

/** The paths of what a client of this authority needs; undefined when this machine has none of that fingerprint. */
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
  /** Of the client itself; undefined where the authority was made on another machine. */
  readonly certificate: string | undefined
  readonly key: string | undefined
}

/** Keeps what another machine's authority shows to everybody; false when it is not of that fingerprint. */
export async function keepForeign(
  { certificate, revocationList }: Pick<AuthorityMaterial, 'certificate' | 'revocationList'>,
  fingerprint: string,
  host: Host,
): Promise<boolean> {
  const authority = parseCertificate(certificate)
  const list = authority && readRevocationList(revocationList, authority.publicKey)
  if (authority === undefined || list === undefined || fingerprintOf(authority) !== fingerprint) return false
  return inStateFolder(host, async (state) => {
    await makePrivateFolder(state, host)
    // A container's file can hold more than that one certificate: everything in it would be trusted.
    const material = { certificate: authority.toString(), revocationList: list }
    await saveAuthority(material, authorityFolder(state, fingerprint), host)
    return true
  })
}

interface Current {
  /** How many the fleet has had. */
  readonly number: number
  /** Undefined when it is time for a new one. */
  readonly authority: Authority | undefined
}

async function findCurrent(state: string, fleet: AuthorityFleet, nowMs: number): Promise<Current> {
  const folder = fleetFolder(state, fleet)
  const number = Math.max(0, ...((await readdir(folder).catch(absent)) ?? []).map(Number).filter(Number.isInteger))
  if (number === 0) return { number, authority: undefined }
  const fingerprint = await readFile(join(folder, String(number)), 'utf8')
  const material = await readAuthority(authorityFolder(state, fingerprint))
  // What somebody has removed is made again.
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

/** All of its files at once: whoever finds the folder finds all that is in it. */
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
    // It is named for its content: one that is there already is the same.
    if ((await readdir(folder).catch(absent)) === undefined) throw error
  }
}

/** False when that number is taken: the first to take it wins. */
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

/** Nothing trusts an authority that has ended, of whichever fleet it was. */
async function removeEnded(state: string, nowMs: number): Promise<void> {
  const folder = join(state, 'authorities')
  for (const name of await readdir(folder)) {
    const text = await readFile(join(folder, name, files.certificate), 'utf8').catch(() => undefined)
    if (text === undefined || new X509Certificate(text).validToDate.getTime() > nowMs) continue
    await rm(join(folder, name), { recursive: true, force: true })
  }
}

function authorityFolder(state: string, fingerprint: string): string {
  // What an engine's labels say is no path.
  if (!/^[0-9a-f]{64}$/.test(fingerprint)) throw new Error(`not a fingerprint: ${JSON.stringify(fingerprint)}`)
  return join(state, 'authorities', fingerprint)
}

/** A clone of a project beside another one is another fleet; and an authority signs no name that it was not made for. */
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
