/** Values of ASN.1 in its basic encoding rules, written in the distinguished ones (X.690). */

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  objectIdentifier: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  generalString: 0x1b,
  sequence: 0x30,
  set: 0x31,
} as const

type Content = Uint8Array | string

/** A value of any tag: its length, and its contents in a row. */
export function tagged(tag: number, ...contents: readonly Content[]): Buffer {
  const content = Buffer.concat(contents.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  return Buffer.concat([Buffer.from([tag]), encodeLength(content.length), content])
}

function encodeLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const bytes = bytesOf(length)
  return Buffer.from([0x80 | bytes.length, ...bytes])
}

/** The bytes of a number that is not negative, the most significant one first. */
function bytesOf(value: number): number[] {
  const bytes = [value % 256]
  for (let rest = Math.floor(value / 256); rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256)
  return bytes
}

export function sequence(...items: readonly Uint8Array[]): Buffer {
  return tagged(tags.sequence, ...items)
}

export function set(...items: readonly Uint8Array[]): Buffer {
  return tagged(tags.set, ...items)
}

/** A number that is not negative, or the bytes of one of any length, the most significant first. */
export function integer(value: number | Uint8Array): Buffer {
  const bytes = typeof value === 'number' ? Buffer.from(bytesOf(value)) : value
  const start = bytes.findIndex((byte) => byte !== 0)
  const rest = start < 0 ? Buffer.from([0]) : bytes.subarray(start)
  // With its first bit set, it would be negative.
  return (rest[0] ?? 0) >= 0x80 ? tagged(tags.integer, Buffer.from([0]), rest) : tagged(tags.integer, rest)
}

export function octetString(...contents: readonly Content[]): Buffer {
  return tagged(tags.octetString, ...contents)
}

/** `unusedBits` are those at the end of the last byte. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Buffer {
  return tagged(tags.bitString, Buffer.from([unusedBits]), bytes)
}

/** `1.2.840.10045` */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return tagged(tags.objectIdentifier, Buffer.from([first * 40 + second, ...rest.flatMap(encodeArc)]))
}

function encodeArc(arc: number): number[] {
  const bytes = [arc & 0x7f]
  for (let rest = arc >>> 7; rest > 0; rest >>>= 7) bytes.unshift((rest & 0x7f) | 0x80)
  return bytes
}

export interface Value {
  readonly tag: number
  readonly content: Buffer
  /** The bytes after the value. */
  readonly rest: Buffer
}

/** Undefined when the bytes do not start with a whole value. */
export function readValue(bytes: Buffer): Value | undefined {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined) return undefined
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || lengthBytes > 4 || bytes.length < 2 + lengthBytes) return undefined
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes)
  const start = 2 + lengthBytes
  if (bytes.length < start + length) return undefined
  return { tag, content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) }
}

/** The values in a row, up to the first bytes that are none. */
export function readValues(bytes: Buffer): Value[] {
  const values: Value[] = []
  for (let next = readValue(bytes); next !== undefined; next = readValue(next.rest)) values.push(next)
  return values
}

/** A number of at most four bytes; undefined for a longer one. */
export function readInteger(value: Value | undefined): number | undefined {
  const { length } = value?.content ?? ''
  return value === undefined || length === 0 || length > 4 ? undefined : value.content.readIntBE(0, length)
}
