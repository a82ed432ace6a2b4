import type { CallOptions, Engine } from '../engine/engine.ts'
import type { AuthorityFiles } from '../model/certificate.ts'
import { readContainerFile } from './container-files.ts'
import { tlsFiles } from './desire.ts'

const MAX_FILE_BYTES = 256 * 1024

/** What a container was given of its fleet's authority; undefined where it lacks it. */
export async function readAuthority(
  engine: Engine,
  containerId: string,
  options: CallOptions,
): Promise<Pick<AuthorityFiles, 'certificate' | 'revocationList'> | undefined> {
  const read = (path: string): Promise<string | undefined> =>
    readContainerFile(engine, containerId, path, MAX_FILE_BYTES, options)
  const [certificate, revocationList] = await Promise.all([read(tlsFiles.authority), read(tlsFiles.revocationList)])
  return certificate === undefined || revocationList === undefined ? undefined : { certificate, revocationList }
}

/** The key of a container's certificate; undefined for one that has none. */
export function readKey(engine: Engine, containerId: string, options: CallOptions): Promise<string | undefined> {
  return readContainerFile(engine, containerId, tlsFiles.key, MAX_FILE_BYTES, options)
}
