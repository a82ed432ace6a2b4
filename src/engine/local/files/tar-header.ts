import { TestfleetError } from '../../../model/failures.ts'

export const BLOCK = 512

export type EntryKind = 'file' | 'folder' | 'link' | 'hardLink' | 'pipe' | 'characterDevice' | 'blockDevice'

/** What an entry of a tar archive says of a file. Names are bytes, one character each. */
export interface TarHeader {
  readonly kind: EntryKind
  readonly name: string
  /** Target of a link, or name of the entry to which a hard link leads. */
  readonly target: string
  /** Permissions, with the setuid, setgid and sticky bits. */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  /** Bytes that follow in the archive. */
  readonly size: number
  /** In seconds since 1970. */
  readonly modifiedAt: number
  readonly device: { readonly major: number; readonly minor: number }
}

const kinds: Readonly<Record<string, EntryKind>> = {
  '\0': 'file',
  '0': 'file',
  '1': 'hardLink',
  '2': 'link',
  '3': 'characterDevice',
  '4': 'blockDevice',
  '5': 'folder',
  '6': 'pipe',
  '7': 'file',
  S: 'file',
}

/** Returns the failure for an archive that cannot be read. */
export function unsound(why: string): TestfleetError {
  return new TestfleetError('ENGINE_REFUSED', `the tar archive is not sound: ${why}`)
}

function readText(block: Buffer, at: number, length: number): string {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  return field.toString('latin1', 0, end === -1 ? length : end)
}

/** Reads an octal number, or one in base 256, which GNU tar writes for large or negative numbers. */
export function readNumber(block: Buffer, at: number, length: number): number {
  const first = block[at] ?? 0
  if ((first & 0x80) === 0) {
    const digits = readText(block, at, length).trim()
    if (digits === '') return 0
    if (!/^[0-7]+$/.test(digits)) throw unsound('a header holds no number where one has to be')
    return Number.parseInt(digits, 8)
  }
  let value = BigInt(first & 0x40 ? first - 0x100 : first & 0x3f)
  for (const byte of block.subarray(at + 1, at + length)) value = value * 256n + BigInt(byte)
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw unsound('a number is too large')
  return number
}

/** Fails when the sum of the bytes is another one than the header says. */
function checkSum(block: Buffer): void {
  let sum = 8 * 0x20
  for (let at = 0; at < BLOCK; at++) if (at < 148 || at >= 156) sum += block[at] ?? 0
  if (sum !== readNumber(block, 148, 8)) throw unsound('a header is damaged')
}

/** Reads the fields of a header. `type` is its letter. */
export function readHeader(block: Buffer): TarHeader & { readonly type: string } {
  checkSum(block)
  const type = block.toString('latin1', 156, 157)
  const isPosix = block.toString('latin1', 257, 263) === 'ustar\0'
  const prefix = isPosix ? readText(block, 345, 155) : ''
  const name = readText(block, 0, 100)
  const isOldFolder = (type === '0' || type === '\0') && name.endsWith('/')
  const hasDevice = type === '3' || type === '4'
  return {
    type,
    kind: isOldFolder ? 'folder' : (kinds[type] ?? 'file'),
    name: prefix === '' ? name : `${prefix}/${name}`,
    target: readText(block, 157, 100),
    mode: readNumber(block, 100, 8) & 0o7777,
    uid: readNumber(block, 108, 8),
    gid: readNumber(block, 116, 8),
    size: readNumber(block, 124, 12),
    modifiedAt: readNumber(block, 136, 12),
    device: hasDevice ? { major: readNumber(block, 329, 8), minor: readNumber(block, 337, 8) } : { major: 0, minor: 0 },
  }
}

const letters: Readonly<Record<EntryKind, string>> = {
  file: '0',
  hardLink: '1',
  link: '2',
  characterDevice: '3',
  blockDevice: '4',
  folder: '5',
  pipe: '6',
}

/** Returns the header of an entry, after one in the format of POSIX for what does not fit into it. */
export function writeHeader(header: TarHeader): Buffer {
  const records = [
    ...(fits(header.name, 100) ? [] : [record('path', header.name)]),
    ...(fits(header.target, 100) ? [] : [record('linkpath', header.target)]),
    ...(header.size < 8 ** 11 ? [] : [record('size', String(header.size))]),
    ...(header.uid < 8 ** 7 ? [] : [record('uid', String(header.uid))]),
    ...(header.gid < 8 ** 7 ? [] : [record('gid', String(header.gid))]),
    ...(header.modifiedAt >= 0 && header.modifiedAt < 8 ** 11 ? [] : [record('mtime', String(header.modifiedAt))]),
  ]
  const main = block(header, letters[header.kind])
  if (records.length === 0) return main
  const body = Buffer.from(records.join(''), 'latin1')
  const plain = { ...header, name: 'PaxHeaders.0/entry', target: '', mode: 0o644, size: body.length }
  return Buffer.concat([block(plain, 'x'), body, padding(body.length), main])
}

/** Zeros up to the next whole block. */
export function padding(size: number): Buffer {
  return Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK)
}

/** Whether a field of a header can hold a text. One with other characters than ASCII needs UTF-8, which old headers do not promise. */
function fits(text: string, length: number): boolean {
  return text.length <= length && /^[ -~]*$/.test(text)
}

function record(name: string, value: string): string {
  const rest = ` ${name}=${value}\n`
  let length = rest.length + 1
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return `${length}${rest}`
}

function block(header: TarHeader, letter: string): Buffer {
  const bytes = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number): void => {
    const digits = Math.max(0, Math.floor(value))
      .toString(8)
      .padStart(length - 1, '0')
    if (digits.length < length) bytes.write(digits, at, 'latin1')
    else bytes.write('0'.repeat(length - 1), at, 'latin1')
  }
  bytes.write(header.name.slice(0, 100), 0, 'latin1')
  octal(header.mode, 100, 8)
  octal(header.uid, 108, 8)
  octal(header.gid, 116, 8)
  octal(header.size, 124, 12)
  octal(header.modifiedAt, 136, 12)
  bytes.write(letter, 156, 'latin1')
  bytes.write(header.target.slice(0, 100), 157, 'latin1')
  bytes.write('ustar\x0000', 257, 'latin1')
  octal(header.device.major, 329, 8)
  octal(header.device.minor, 337, 8)
  bytes.fill(0x20, 148, 156)
  bytes.write(
    `${bytes
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0`,
    148,
    'latin1',
  )
  return bytes
}
