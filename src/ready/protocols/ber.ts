/** Values as ASN.1's basic and distinguished rules write them (X.690, 8): a tag, a length, and what it holds. */

export const INTEGER = 0x02
export const BIT_STRING = 0x03
export const OCTET_STRING = 0x04
export const NULL = 0x05
export const OBJECT_ID = 0x06
export const GENERALIZED_TIME = 0x18
export const GENERAL_STRING = 0x1b
export const SEQUENCE = 0x30

export interface BerValue {
  readonly tag: number
  readonly content: Buffer
  /** What stands behind it. */
  readonly rest: Buffer
}

export function writeBer(tag: number, ...contents: (Uint8Array | string)[]): Buffer {
  const content = Buffer.concat(contents.map((part) => (typeof part === 'string' ? Buffer.from(part) : part)))
  const { length } = content
  return Buffer.concat([Buffer.from([tag, ...writeLength(length)]), content])
}

/** In as few bytes as can be. */
function writeLength(length: number): number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

/** Of a number from 0 to 2^31 - 1. */
export function writeBerInteger(value: number): Buffer {
  const bytes = [value & 0xff]
  for (let more = value >> 7; more > 0; more >>= 8) bytes.unshift((more >> 1) & 0xff)
  return writeBer(INTEGER, Buffer.from(bytes))
}

/** Undefined where there is no whole value. */
export function readBer(bytes: Buffer): BerValue | undefined {
  const [tag, first] = bytes
  if (tag === undefined || first === undefined) return undefined
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f
  if (first === 0x80 || lengthBytes > 4 || bytes.length < 2 + lengthBytes) return undefined
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes)
  const start = 2 + lengthBytes
  if (bytes.length < start + length) return undefined
  return { tag, content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) }
}

/** All values, up to what is none. */
export function readBerValues(bytes: Buffer): BerValue[] {
  const values: BerValue[] = []
  for (let next = readBer(bytes); next !== undefined; next = readBer(next.rest)) values.push(next)
  return values
}

/** Of at most four bytes, as all that are read here. */
export function readBerInteger(value: BerValue | undefined): number | undefined {
  const { length } = value?.content ?? ''
  return value === undefined || length === 0 || length > 4 ? undefined : value.content.readIntBE(0, length)
}
