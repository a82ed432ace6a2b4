/** A field of a protobuf message: its number, and its bytes or its number's value. */
export type Field =
  | { readonly number: number; readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly number: number; readonly kind: 'varint'; readonly value: number }

/**
 * Reads a message's fields in their order. Numbers above 2^53 lose their last digits: none is read here that large.
 * Fields of fixed width are passed over. Throws a RangeError for bytes that are no message.
 */
export function* readFields(message: Buffer): Generator<Field, void, void> {
  let at = 0
  const readVarint = (): number => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message.readUInt8(at++)
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      if (scale > 2 ** 63) throw new RangeError('a number of more than ten bytes')
    }
  }
  const skip = (count: number): Buffer => {
    if (at + count > message.length) throw new RangeError('a field beyond the end of its message')
    at += count
    return message.subarray(at - count, at)
  }
  while (at < message.length) {
    const key = readVarint()
    const number = Math.floor(key / 8)
    switch (key % 8) {
      case 0:
        yield { number, kind: 'varint', value: readVarint() }
        break
      case 1:
        skip(8)
        break
      case 2:
        yield { number, kind: 'bytes', bytes: skip(readVarint()) }
        break
      case 5:
        skip(4)
        break
      default:
        throw new RangeError('a field of a kind that is not known')
    }
  }
}
