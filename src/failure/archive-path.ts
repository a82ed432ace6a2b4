import { resolveOutputFile } from '../files/output-file.ts'
import type { Host } from '../model/host.ts'

/** Returns the absolute path of the archive that `--bundle` names. Fails with USAGE when no file can be created there. */
export function resolveArchive(file: string, host: Pick<Host, 'workingFolder'>): Promise<string> {
  return resolveOutputFile(file, { what: 'the failure bundle', example: 'failure.tar.gz' }, host)
}
