import type { FileHandle } from 'node:fs/promises'

/** A member of a tar archive in a file. */
export interface ArchiveMember {
  readonly name: string
  readonly kind: 'file' | 'folder' | 'link' | 'hard link' | 'other'
  /** Target of a link, as it is written. */
  readonly target: string
  /** Offset of its first header. */
  readonly start: number
  /** Offset of its content. */
  readonly contentAt: number
  readonly sizeBytes: number
  /** Offset of what follows it. */
  readonly end: number
}

/** Why a file is no usable archive, as the end of a sentence that names the file. */
export class BadArchive extends Error {}

const BLOCK_BYTES = 512
/** Longer names and attributes have no use in an archive of images. */
const MAX_EXTENSION_BYTES = 1024 * 1024
/** An image has at most 127 layers, each with four members. */
const MAX_MEMBERS = 200_000

/** Lists the members of an archive without reading their content. Fails with `BadArchive` when it is incomplete, or no tar archive. */
export async function listMembers(file: FileHandle): Promise<readonly ArchiveMember[]> {
  const { size } = await file.stat()
  const members: ArchiveMember[] = []
  let extended: Partial<Header> = {}
  let start = 0
  for (let at = 0; ; ) {
    const header = await readHeaderAt(file, at, extended)
    if (header === undefined) return members
    const { name, target, sizeBytes, type } = header
    const contentAt = at + BLOCK_BYTES
    at = contentAt + Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
    if (at > size) throw new BadArchive('is incomplete')
    if (isExtension(type)) {
      extended = { ...extended, ...(await readExtension(file, header, contentAt)) }
      continue
    }
    members.push({ name: cleanName(name), kind: kindOf(type), target, start, contentAt, sizeBytes, end: at })
    if (members.length > MAX_MEMBERS) throw new BadArchive(`has more than ${MAX_MEMBERS} members`)
    extended = {}
    start = at
  }
}

/** Undefined at the end of the archive. */
async function readHeaderAt(file: FileHandle, at: number, extended: Partial<Header>): Promise<Header | undefined> {
  const block = await readAt(file, at, BLOCK_BYTES)
  if (block.length < BLOCK_BYTES) throw new BadArchive(at === 0 ? 'is not a tar archive' : 'is incomplete')
  if (block.every((byte) => byte === 0)) return undefined
  const own = readHeader(block, at)
  const header = isExtension(own.type) ? own : { ...own, ...extended }
  if (!Number.isSafeInteger(header.sizeBytes) || header.sizeBytes < 0) throw new BadArchive('is damaged')
  return header
}

export async function readAt(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

interface Header {
  readonly name: string
  readonly target: string
  readonly sizeBytes: number
  readonly type: string
}

function readHeader(block: Buffer, at: number): Header {
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0)
  const sizeBytes = readNumber(block.subarray(124, 136))
  if (readNumber(block.subarray(148, 156)) !== sum)
    throw new BadArchive(at === 0 ? 'is not a tar archive' : 'is damaged')
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isPosix ? readText(block.subarray(345, 500)) : ''
  const name = readText(block.subarray(0, 100))
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    target: readText(block.subarray(157, 257)),
    sizeBytes,
    type: block.toString('latin1', 156, 157),
  }
}

/** Octal, or binary with the first bit set, as GNU tar and Go write a size of 8 GiB and more. */
function readNumber(field: Buffer): number {
  const [first = 0] = field
  if (first < 0x80) return Number.parseInt(field.toString('latin1').replace(/\0.*$/s, '').trim() || '0', 8)
  return field.subarray(1).reduce((value, byte) => value * 256 + byte, first & 0x7f)
}

function readText(field: Buffer): string {
  const end = field.indexOf(0)
  return field.toString('utf8', 0, end < 0 ? field.length : end)
}

/** `x` and `g` are POSIX attributes, `L` and `K` GNU's long names of a member and of a link's target. */
function isExtension(type: string): boolean {
  return ['x', 'g', 'L', 'K'].includes(type)
}

async function readExtension(file: FileHandle, { type, sizeBytes }: Header, at: number): Promise<Partial<Header>> {
  if (sizeBytes > MAX_EXTENSION_BYTES) throw new BadArchive('has a member with a name that is too long')
  const content = await readAt(file, at, sizeBytes)
  if (type === 'L') return { name: readText(content) }
  if (type === 'K') return { target: readText(content) }
  return type === 'x' ? readAttributes(content) : {}
}

/** Each attribute is `LENGTH KEY=VALUE` and a line feed. */
function readAttributes(content: Buffer): Partial<Header> {
  const found = new Map<string, string>()
  for (let at = 0; at < content.length; ) {
    const [whole, digits = ''] = /^(\d{1,7}) /.exec(content.toString('latin1', at, at + 8)) ?? []
    const end = at + Number(digits)
    if (whole === undefined || end <= at + whole.length || end > content.length) throw new BadArchive('is damaged')
    const [key = '', ...value] = content.toString('utf8', at + whole.length, end - 1).split('=')
    found.set(key, value.join('='))
    at = end
  }
  const [name, target, size] = ['path', 'linkpath', 'size'].map((key) => found.get(key))
  return {
    ...(name === undefined ? {} : { name }),
    ...(target === undefined ? {} : { target }),
    ...(size === undefined ? {} : { sizeBytes: Number(size) }),
  }
}

function kindOf(type: string): ArchiveMember['kind'] {
  if (type === '0' || type === '\0' || type === '7') return 'file'
  if (type === '5') return 'folder'
  if (type === '1') return 'hard link'
  return type === '2' ? 'link' : 'other'
}

function cleanName(name: string): string {
  return name.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '')
}
