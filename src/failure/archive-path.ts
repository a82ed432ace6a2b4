import { constants, gunzipSync } from 'node:zlib'
import { resolveOutputFile } from '../files/output-file.ts'
import type { Host } from '../model/host.ts'

/** Returns the absolute path of the archive that `--bundle` names. Fails with USAGE when no file can be created there. */
export function resolveArchive(file: string, host: Pick<Host, 'workingFolder'>): Promise<string> {
  return resolveOutputFile(file, { what: 'the failure bundle', example: 'failure.tar.gz', isOwn: isBundle }, host)
}

/** A tar archive begins with the name of its first entry: the bundle's folder. */
function isBundle(start: Buffer): boolean {
  try {
    const unpacked = gunzipSync(start, { finishFlush: constants.Z_SYNC_FLUSH })
    return unpacked.subarray(0, FOLDER.length).equals(FOLDER)
  } catch {
    return false
  }
}

const FOLDER = Buffer.from('testfleet-')
