import { explain, findPlace } from '../../copy/copy.ts'
import { packFromServer } from '../../copy/copy-from.ts'
import { unpackIntoServer } from '../../copy/copy-to.ts'
import type { StoredRecord } from '../../sessions/store.ts'
import type { Tools } from '../../tools.ts'
import type { CopyOptions } from '../types/servers.ts'
import { toCopyOptions } from './servers.ts'

export { readCopyEnds } from '../../copy/copy.ts'

/** Unpacks a tar stream into a server. */
export async function unpackArchive(
  session: StoredRecord,
  server: string,
  archive: Parameters<typeof unpackIntoServer>[0],
  to: string,
  tools: Tools,
): Promise<void> {
  const place = await findPlace(session, server, tools)
  await unpackIntoServer(archive, to, place, tools).catch((error: unknown) => {
    throw explain(place, error)
  })
}

/** Packs a file or folder of a server into a tar stream, which `write` takes piece by piece. */
export async function packArchive(
  session: StoredRecord,
  server: string,
  path: string,
  options: CopyOptions,
  write: (chunk: Uint8Array) => Promise<void>,
  tools: Tools,
): Promise<void> {
  const place = await findPlace(session, server, tools)
  try {
    for await (const chunk of packFromServer(path, place, toCopyOptions(options), tools)) await write(chunk)
  } catch (error) {
    throw explain(place, error)
  }
}
