const BLOCK_BYTES = 512
/** Longest extended header, such as one with a long path or the attributes of a file. */
const MAX_EXTENSION_BYTES = 4 * 1024 * 1024

/**
 * Copies a tar archive, of any size, except these paths and everything below them. Entries that stay are copied byte by
 * byte, so that every attribute of a file stays as it is.
 */
export async function* leaveOut(
  archive: AsyncIterable<Uint8Array>,
  paths: readonly string[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = openReader(archive)
  for (;;) {
    const entry = await readEntry(reader)
    if (entry === undefined) return
    const isKept = !paths.some((path) => `${entry.name}/`.startsWith(`${path}/`))
    if (isKept) yield* entry.headers
    for await (const chunk of reader.take(entry.contentBytes)) if (isKept) yield chunk
  }
}

interface Entry {
  readonly name: string
  /** The header, after the extended headers that belong to it. */
  readonly headers: readonly Uint8Array[]
  /** Length of the content, up to the end of its last block. */
  readonly contentBytes: number
}

/** Reads the headers of the next entry. An empty block, at the end of the archive, is an entry without a name. */
async function readEntry(reader: Reader): Promise<Entry | undefined> {
  const headers: Uint8Array[] = []
  const extended: { name?: string | undefined; size?: string | undefined } = {}
  for (;;) {
    const header = await reader.read(BLOCK_BYTES)
    if (header === undefined) return headers.length === 0 ? undefined : { name: '', headers, contentBytes: 0 }
    headers.push(header)
    const bytes = readNumber(header, 124, 12)
    const type = String.fromCharCode(header[156] ?? 0)
    if (!'xgLK'.includes(type)) {
      const name = (extended.name ?? readName(header)).replace(/\/+$/, '')
      return { name, headers, contentBytes: padded(Number(extended.size ?? bytes)) }
    }
    const body = await readExtension(reader, bytes)
    headers.push(body)
    Object.assign(extended, readExtended(type, body))
  }
}

async function readExtension(reader: Reader, bytes: number): Promise<Uint8Array> {
  if (bytes > MAX_EXTENSION_BYTES) throw new Error('the archive has an extended header that is too long')
  return (await reader.read(padded(bytes))) ?? Buffer.alloc(0)
}

/** Returns what an extended header says of the entry after it: `L` is GNU's, for a long name, and `x` is PAX's. */
function readExtended(type: string, body: Uint8Array): { readonly name?: string; readonly size?: string } {
  if (type === 'L') return { name: readText(body, 0, body.length) }
  if (type !== 'x') return {}
  const [name, size] = [readRecord(body, 'path'), readRecord(body, 'size')]
  return { ...(name !== undefined && { name }), ...(size !== undefined && { size }) }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES
}

function readName(header: Uint8Array): string {
  const isUstar = readText(header, 257, 5) === 'ustar'
  const prefix = isUstar ? readText(header, 345, 155) : ''
  const name = readText(header, 0, 100)
  return prefix === '' ? name : `${prefix}/${name}`
}

/** Text up to its first zero byte. */
function readText(bytes: Uint8Array, at: number, length: number): string {
  const field = Buffer.from(bytes.subarray(at, at + length))
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

/** Octal digits, or, for a number that is too long for them, bytes after a first byte of 128. */
function readNumber(bytes: Uint8Array, at: number, length: number): number {
  const field = bytes.subarray(at, at + length)
  if ((field[0] ?? 0) < 128) return Number.parseInt(readText(bytes, at, length).trim() || '0', 8)
  return field.subarray(1).reduce((number, byte) => number * 256 + byte, 0)
}

/** Reads a record of a PAX header, which has lines such as `12 path=abc`. The number is the length of the line. */
function readRecord(body: Uint8Array, name: string): string | undefined {
  let at = 0
  while (at < body.length) {
    const space = body.indexOf(32, at)
    const length = Number(Buffer.from(body.subarray(at, space)).toString('latin1'))
    if (space < 0 || !(length > 0)) return undefined
    const [key = '', ...value] = Buffer.from(body.subarray(space + 1, at + length - 1))
      .toString('utf8')
      .split('=')
    if (key === name) return value.join('=')
    at += length
  }
  return undefined
}

interface Reader {
  /** Resolves with that many bytes; undefined at the end. A cut archive gives fewer. */
  read(bytes: number): Promise<Buffer | undefined>
  /** Passes that many bytes on, in chunks. */
  take(bytes: number): AsyncGenerator<Uint8Array>
}

function openReader(chunks: AsyncIterable<Uint8Array>): Reader {
  const iterator = chunks[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array()
  async function* take(bytes: number): AsyncGenerator<Uint8Array> {
    for (let left = bytes; left > 0; ) {
      if (rest.length === 0) {
        const { done, value } = await iterator.next()
        if (done) return
        rest = value
        continue
      }
      const part = rest.subarray(0, left)
      rest = rest.subarray(part.length)
      left -= part.length
      yield part
    }
  }
  return {
    take,
    async read(bytes) {
      const parts: Uint8Array[] = []
      for await (const part of take(bytes)) parts.push(part)
      return parts.length === 0 ? undefined : Buffer.concat(parts)
    },
  }
}
