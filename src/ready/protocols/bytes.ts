/** Numbers as they go over a network, the highest byte first, and texts with their lengths. */

export function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** Text in UTF-8 with its length in one byte before it. */
export function shortText(text: string): Buffer {
  const bytes = Buffer.from(text)
  if (bytes.length > 255) throw new Error(`cannot be sent more than 255 bytes, and needs ${bytes.length}`)
  return Buffer.concat([Buffer.of(bytes.length), bytes])
}

/** Text in UTF-8, followed by a zero. */
export function zeroEnded(text: string): Buffer {
  return Buffer.from(`${text}\0`)
}
