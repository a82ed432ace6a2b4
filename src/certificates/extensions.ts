import { hash, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { bitString, integer, objectIdentifier, octetString, sequence, tagged, tags } from '../formats/ber.ts'

/** The extensions of certificates and revocation lists (RFC 5280, 4.2 and 5.2). */

const yes = tagged(tags.boolean, Buffer.from([0xff]))

/** Of an authority, whose key may sign certificates and revocation lists. */
export function authorityExtensions(key: KeyObject): Buffer[] {
  return [constraints(yes), keyUsage(bitString(Buffer.from([0x06]), 1)), subjectKey(key)]
}

const purposes = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const

/** Of a server or a client. Its key signs; one of RSA can also decrypt the other side's, as old versions of TLS have it. */
export function endEntityExtensions(key: KeyObject, purpose: keyof typeof purposes): Buffer[] {
  const usage = key.asymmetricKeyType === 'rsa' ? bitString(Buffer.from([0xa0]), 5) : bitString(Buffer.from([0x80]), 7)
  const purposeList = sequence(objectIdentifier(purposes[purpose]))
  return [constraints(), keyUsage(usage), extension('2.5.29.37', purposeList), subjectKey(key)]
}

function constraints(...content: readonly Buffer[]): Buffer {
  return extension('2.5.29.19', sequence(...content), 'critical')
}

function keyUsage(bits: Buffer): Buffer {
  return extension('2.5.29.15', bits, 'critical')
}

function subjectKey(key: KeyObject): Buffer {
  return extension('2.5.29.14', octetString(keyIdentifier(key)))
}

export function authorityKey(key: KeyObject): Buffer {
  return extension('2.5.29.35', sequence(tagged(0x80, keyIdentifier(key))))
}

/** Names of hosts and IP addresses. */
export function alternativeNames(names: readonly string[]): Buffer {
  const encoded = names.map((name) =>
    isIP(name) === 0 ? tagged(0x82, Buffer.from(name)) : tagged(0x87, addressBytes(name)),
  )
  return extension('2.5.29.17', sequence(...encoded))
}

export function revocationListNumber(): Buffer {
  return extension('2.5.29.20', integer(1))
}

function extension(identifier: string, value: Uint8Array, weight?: 'critical'): Buffer {
  const critical = weight === undefined ? Buffer.alloc(0) : yes
  return sequence(objectIdentifier(identifier), critical, octetString(value))
}

/** Any value that tells keys apart will do (RFC 7093). */
function keyIdentifier(key: KeyObject): Buffer {
  return hash('sha256', key.export({ type: 'spki', format: 'der' }), 'buffer').subarray(0, 20)
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number))
  // The URL parser writes the tail of a mapped address in groups, too.
  const text = new URL(`http://[${address.replace(/%.*$/, '')}]`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const groupsOf = (part: string): string[] => (part === '' ? [] : part.split(':'))
  const after = tail === undefined ? [] : groupsOf(tail)
  const missing = Array.from({ length: 8 - groupsOf(head).length - after.length }, () => '0')
  const groups = [...groupsOf(head), ...missing, ...after].map((group) => Number.parseInt(group, 16))
  return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]))
}
