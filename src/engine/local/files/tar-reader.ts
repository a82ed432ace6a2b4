import type { ByteReader } from './byte-reader.ts'
import { BLOCK, readHeader, readNumber, type TarHeader, unsound } from './tar-header.ts'

/** An entry of an archive. Its content has to be read, or skipped, before the next entry. */
export interface TarEntry extends TarHeader {
  /** Where the content belongs in the file; undefined when it is the whole file. */
  readonly sparse: SparseMap | undefined
  /** Whether overlayfs has marked the folder: nothing of the layers below is in it. */
  readonly isOpaque?: boolean
  /** Content of a file, as it is in the archive. */
  content(): AsyncGenerator<Buffer, void, void>
}

export interface SparseMap {
  readonly size: number
  readonly parts: readonly { readonly at: number; readonly length: number }[]
}

/** Limit for a name, or for the attributes of an entry. */
const MOST_META_BYTES = 1 << 20
const MOST_SPARSE_PARTS = 1_000_000

type Attributes = Readonly<Record<string, string>>

/**
 * Reads the entries of a tar archive, in the formats that GNU tar, BSD tar and Docker write: long names, attributes
 * (pax), large numbers, sparse files. ENGINE_REFUSED when it is damaged.
 */
export async function* readTar(reader: ByteReader): AsyncGenerator<TarEntry, void, void> {
  let shared: Attributes = {}
  let attributes: Attributes = {}
  for (;;) {
    const block = await reader.take(BLOCK)
    if (block === undefined || block.every((byte) => byte === 0)) break
    const header = readHeader(block)
    const meta = await readMeta(reader, header)
    if (meta !== undefined) {
      if (header.type === 'g') shared = { ...shared, ...meta }
      else attributes = { ...attributes, ...meta }
      continue
    }
    const entry = await openEntry(reader, block, header, { ...shared, ...attributes })
    attributes = {}
    yield entry.entry
    await entry.finish()
  }
  await reader.drain()
}

/** Reads an entry that only describes the next one. */
async function readMeta(
  reader: ByteReader,
  { type, size }: { type: string; size: number },
): Promise<Attributes | undefined> {
  if (!/^[xgLK]$/.test(type)) return undefined
  if (size > MOST_META_BYTES) throw unsound('the attributes of an entry are too long')
  const bytes = await reader.take(size)
  if (bytes === undefined) throw unsound('it ends too early')
  await reader.skip(paddingOf(size))
  if (type === 'L') return { path: upToZero(bytes) }
  if (type === 'K') return { linkpath: upToZero(bytes) }
  return readAttributes(bytes)
}

function upToZero(bytes: Buffer): string {
  const end = bytes.indexOf(0)
  return bytes.toString('latin1', 0, end === -1 ? bytes.length : end)
}

/** Reads records such as `27 path=a name of a file\n`. */
function readAttributes(bytes: Buffer): Attributes {
  const found: Record<string, string> = Object.create(null)
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at)
    const length = Number(bytes.toString('latin1', at, space))
    const end = at + length
    const equals = bytes.indexOf(0x3d, space)
    if (
      !Number.isInteger(length) ||
      space === -1 ||
      equals === -1 ||
      equals >= end ||
      end > bytes.length ||
      end <= space
    ) {
      throw unsound('the attributes of an entry are damaged')
    }
    found[bytes.toString('latin1', space + 1, equals)] = bytes.toString('latin1', equals + 1, end - 1)
    at = end
  }
  return found
}

async function openEntry(
  reader: ByteReader,
  block: Buffer,
  plain: TarHeader & { readonly type: string },
  attributes: Attributes,
): Promise<{ readonly entry: TarEntry; finish(): Promise<void> }> {
  const header = applyAttributes(plain, attributes)
  const size = header.kind === 'file' ? header.size : 0
  let left = size
  const take = async (length: number): Promise<Buffer> => {
    const bytes = length <= left ? await reader.take(length) : undefined
    if (bytes === undefined) throw unsound('it ends too early')
    left -= length
    return bytes
  }
  const sparse = plain.type === 'S' ? await readOldMap(reader, block) : await readSparseMap(attributes, take)
  const content = async function* (): AsyncGenerator<Buffer, void, void> {
    while (left > 0) {
      const part = await reader.takeSome(left)
      if (part === undefined) throw unsound('it ends too early')
      left -= part.length
      yield part
    }
  }
  const finish = async (): Promise<void> => {
    await reader.skip(left + paddingOf(size))
    left = 0
  }
  return { entry: { ...header, sparse, content, ...(isOpaque(attributes) && { isOpaque: true }) }, finish }
}

/** The mark is set by root, or in the namespaces of a user. */
function isOpaque(attributes: Attributes): boolean {
  return ['trusted', 'user'].some((space) => attributes[`SCHILY.xattr.${space}.overlay.opaque`] === 'y')
}

function applyAttributes(header: TarHeader, attributes: Attributes): TarHeader {
  const number = (name: string, plain: number): number => {
    const text = attributes[name]
    if (text === undefined) return plain
    const value = Number(text)
    if (text === '' || !Number.isFinite(value)) throw unsound(`the attribute ${name} is no number`)
    return value
  }
  return {
    ...header,
    name: attributes['GNU.sparse.name'] ?? attributes.path ?? header.name,
    target: attributes.linkpath ?? header.target,
    uid: number('uid', header.uid),
    gid: number('gid', header.gid),
    size: number('size', header.size),
    modifiedAt: number('mtime', header.modifiedAt),
  }
}

/** Reads the map in the headers of GNU tar's old format. */
async function readOldMap(reader: ByteReader, block: Buffer): Promise<SparseMap> {
  const parts: { at: number; length: number }[] = []
  const read = (from: Buffer, start: number, count: number): void => {
    for (let at = start; at < start + 24 * count && (from[at] ?? 0) !== 0; at += 24) {
      parts.push({ at: readNumber(from, at, 12), length: readNumber(from, at + 12, 12) })
    }
  }
  read(block, 386, 4)
  let more = block[482] === 1
  while (more) {
    const next = await reader.take(BLOCK)
    if (next === undefined || parts.length > MOST_SPARSE_PARTS) throw unsound('the map of a sparse file is damaged')
    read(next, 0, 21)
    more = next[504] === 1
  }
  return { size: readNumber(block, 483, 12), parts }
}

/** Reads the map of GNU tar's newer formats: as an attribute, or before the content. */
async function readSparseMap(
  attributes: Attributes,
  take: (length: number) => Promise<Buffer>,
): Promise<SparseMap | undefined> {
  const size = Number(attributes['GNU.sparse.realsize'] ?? attributes['GNU.sparse.size'])
  const text = attributes['GNU.sparse.map']
  if (text !== undefined) return { size, parts: pairs(text.split(',').map(Number)) }
  if (attributes['GNU.sparse.major'] === '1') return { size, parts: await readInnerMap(take) }
  if (attributes['GNU.sparse.offset'] !== undefined) throw unsound('it has a sparse file in an old format')
  return undefined
}

async function readInnerMap(take: (length: number) => Promise<Buffer>): Promise<SparseMap['parts']> {
  let text = ''
  for (;;) {
    const lines = text.split('\n')
    const count = Number(lines[0])
    if (lines.length > 1 && !(count <= MOST_SPARSE_PARTS)) throw unsound('the map of a sparse file is damaged')
    if (lines.length > 1 && lines.length > 2 * count + 1) return pairs(lines.slice(1, 1 + 2 * count).map(Number))
    text += (await take(BLOCK)).toString('latin1')
  }
}

function pairs(numbers: readonly number[]): SparseMap['parts'] {
  const parts: { at: number; length: number }[] = []
  for (let i = 0; i + 1 < numbers.length; i += 2) parts.push({ at: numbers[i] ?? 0, length: numbers[i + 1] ?? 0 })
  return parts
}

function paddingOf(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK
}
