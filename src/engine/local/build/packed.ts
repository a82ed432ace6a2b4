import { constants, createReadStream, openSync, readSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { itself } from '../files/descriptors.ts'
import { type Tree, walk } from '../files/walk.ts'
import { type Machine, rootMachine, startProgram } from '../programs.ts'

/** First bytes of a compressed file, and the program that unpacks it; gzip is done here. */
const FORMATS: readonly { readonly magic: Buffer; readonly program: string | undefined }[] = [
  { magic: Buffer.from([0x1f, 0x8b]), program: undefined },
  { magic: Buffer.from('BZh'), program: 'bzip2' },
  { magic: Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]), program: 'xz' },
]

const START_BYTES = 512

/** Opens a file that is a tar archive, plain or compressed, as a stream of the archive; undefined for another file. */
export async function openPacked(
  from: Tree,
  path: string,
  machine: Machine = rootMachine,
): Promise<Readable | undefined> {
  const place = walk(from, path, { follows: false })
  try {
    if (place.opened === undefined || !place.stats?.isFile()) return undefined
    const file = openSync(itself(place.opened), constants.O_RDONLY)
    const start = Buffer.alloc(START_BYTES)
    const length = readSync(file, start, 0, START_BYTES, 0)
    const format = FORMATS.find(({ magic }) => start.subarray(0, magic.length).equals(magic))
    const isTar = length === START_BYTES && start.toString('latin1', 257, 262) === 'ustar'
    const stream = createReadStream('', { fd: file, start: 0 })
    if (isTar) return stream
    if (format === undefined) {
      stream.destroy()
      return undefined
    }
    return unpack(stream, format.program, machine)
  } finally {
    place.close()
  }
}

function unpack(stream: Readable, program: string | undefined, machine: Machine): Readable {
  if (program === undefined) {
    const unzipped = createGunzip()
    stream.on('error', (error) => unzipped.destroy(error))
    return stream.pipe(unzipped)
  }
  const child = startProgram(machine, program, ['--decompress', '--stdout'], ['pipe', 'pipe', 'ignore'])
  const output = child.stdout as Readable
  child.on('error', (error) => output.destroy(error))
  child.stdin?.on('error', () => {})
  stream.on('error', (error) => output.destroy(error))
  if (child.stdin) stream.pipe(child.stdin)
  return output
}
