import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { relative } from 'node:path'
import { wordError } from '../formats/word-error.ts'
import {
  MAX_CERTIFICATE_BYTES,
  type OwnCertificate,
  type OwnCertificateFile,
  type ServerCertificate,
} from '../model/certificate.ts'
import { readTextInside } from './inside.ts'

/** A file of `tls` is unusable. */
export class UnfitCertificate extends Error {
  readonly file: keyof OwnCertificate

  constructor(file: keyof OwnCertificate, message: string) {
    super(message)
    this.file = file
  }
}

/**
 * Reads the user's own key and certificate. Fails with an `UnfitCertificate` when one of them is invalid or the key
 * does not belong to the certificate; with FLEET_FILE_INVALID or CONTEXT_CHANGED when a file has changed since it was
 * checked.
 */
export async function readOwnCertificate(own: OwnCertificate): Promise<ServerCertificate> {
  const { certificate, key, ca } = own
  const [chain, keyText, authorities] = await Promise.all([
    readPem(certificate),
    readPem(key),
    ca === undefined ? undefined : readPem(ca),
  ])
  const [first] = readCertificates('certificate', certificate, chain)
  if (ca !== undefined && authorities !== undefined) readCertificates('ca', ca, authorities)
  if (first?.checkPrivateKey(readPrivateKey(key, keyText)) !== true)
    throw new UnfitCertificate('key', `${shown(key)} is not the key of ${shown(certificate)}`)
  return { key: keyText, chain, intermediate: undefined, authorities }
}

/** Returns the server's own certificate. Certificates of its authorities may follow it in the file. */
export async function readOwnLeaf({ certificate }: OwnCertificate): Promise<X509Certificate | undefined> {
  return readCertificates('certificate', certificate, await readPem(certificate))[0]
}

function shown({ path, folder }: OwnCertificateFile): string {
  return relative(folder, path)
}

async function readPem(file: OwnCertificateFile): Promise<string> {
  const text = await readTextInside(file.path, { ...file, maxBytes: MAX_CERTIFICATE_BYTES })
  return text.endsWith('\n') ? text : `${text}\n`
}

function readCertificates(name: keyof OwnCertificate, file: OwnCertificateFile, text: string): X509Certificate[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  if (blocks.length === 0) throw new UnfitCertificate(name, `${shown(file)} has no certificate in PEM`)
  try {
    return blocks.map((block) => new X509Certificate(block))
  } catch (error) {
    throw new UnfitCertificate(name, `${shown(file)} has a certificate that cannot be read: ${wordError(error)}`)
  }
}

function readPrivateKey(file: OwnCertificateFile, text: string): KeyObject {
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type:.*ENCRYPTED/m.test(text))
    throw new UnfitCertificate('key', `${shown(file)} is encrypted; a server cannot read it without its passphrase`)
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text))
    throw new UnfitCertificate('key', `${shown(file)} has no private key in PEM`)
  try {
    return createPrivateKey(text)
  } catch (error) {
    throw new UnfitCertificate('key', `${shown(file)} has a key that cannot be read: ${wordError(error)}`)
  }
}
