/** The few forms of DER that a certificate is made of (X.690). */

const tags = { integer: 0x02, bitString: 0x03, octetString: 0x04, utf8String: 0x0c, sequence: 0x30, set: 0x31 } as const

export function tagged(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  return Buffer.concat([Buffer.from([tag]), encodeLength(content.length), content])
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes = []
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return tagged(tags.sequence, ...items)
}

export function set(...items: readonly Uint8Array[]): Buffer {
  return tagged(tags.set, ...items)
}

/** A number of any length that is not negative, its most significant byte first. */
export function integer(bytes: Uint8Array): Buffer {
  const start = bytes.findIndex((byte) => byte !== 0)
  const rest = start < 0 ? Buffer.from([0]) : bytes.subarray(start)
  return (rest[0] ?? 0) >= 0x80 ? tagged(tags.integer, Buffer.from([0]), rest) : tagged(tags.integer, rest)
}

export function octetString(...contents: readonly Uint8Array[]): Buffer {
  return tagged(tags.octetString, ...contents)
}

/** `unusedBits` are those at the end of the last byte. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tagged(tags.bitString, Buffer.from([unusedBits]), bytes)
}

export function utf8String(text: string): Buffer {
  return tagged(tags.utf8String, Buffer.from(text))
}

export const yes = Buffer.from([0x01, 0x01, 0xff])

/** `1.2.840.10045` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(encodeArc)]))
}

function encodeArc(arc: number): number[] {
  const bytes = [arc & 0x7f]
  for (let rest = arc >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

/** To the second. From 2050 on, a year has four digits (RFC 5280, 4.1.2.5). */
export function time(ms: number): Buffer {
  const date = new Date(ms)
  const digits = `${date.toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}Z`
  return date.getUTCFullYear() < 2050 ? tagged(0x17, Buffer.from(digits.slice(2))) : tagged(0x18, Buffer.from(digits))
}

export function toPem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`
}
